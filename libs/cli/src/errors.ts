/**
 * What the command line itself refuses.
 * @module
 */
import { MayflyError } from '@mayfly/domain';

/** The command was written in a way that can never work: exit code 2. */
export class WrongUsage extends MayflyError {
  constructor(message: string) {
    super('wrong-usage', message, 400, false);
  }
}

/** Something on this machine is missing; the sentence says what to do. */
export class NotSetUp extends MayflyError {
  constructor(message: string) {
    super('not-set-up', message, 500, false);
  }
}

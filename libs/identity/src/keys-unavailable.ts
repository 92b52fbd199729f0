/**
 * Nobody can be proven now.
 * @module
 */
import { MayflyError } from '@mayfly/domain';

/** No issuer's keys can be had, and none are known that may still be used. */
export class KeysUnavailable extends MayflyError {
  constructor() {
    super('keys-unavailable', 'the keys of those who vouch for identities cannot be had; try again shortly', 503, true);
  }
}

import { MayflyError } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { emitAll, insertCredentials, insertGrants, intendMints, stateFacts } from '@mayfly/store';
import type { Round } from '../admission.js';

/** All of it, table by table: grants, what was decided, who asked (evidence), what the world is told (outbox), what will be minted. */
export async function writeDown({ tx, admissions }: Round): Promise<void> {
  failpoint('C4');
  if (admissions.length === 0) return;
  const opened = await insertGrants(
    tx,
    admissions.map(({ opening }) => opening!),
  );
  // Somebody else admitted one of the tasks, or ended it, since it was looked up: the events are read again and then found known.
  if (opened < admissions.length) throw new TaskRaced();
  await insertCredentials(
    tx,
    admissions.flatMap(({ credentials }) => credentials!),
  );
  await stateFacts(
    tx,
    admissions.map(({ requested }) => requested!),
  );
  await emitAll(
    tx,
    'issuer',
    admissions.map(({ announced }) => announced!),
    admissions.map(({ grant }) => grant!.taskId),
  );
  failpoint('C5');
  await intendMints(
    tx,
    admissions.flatMap(({ intents = [] }) => intents),
  );
  for (const admission of admissions) {
    const { opening, intents = [] } = admission;
    const [grant, credentials] = [admission.grant!, admission.credentials!];
    // Nobody else knows of it yet: where only its token is to be made, there is nothing to be read.
    const written = intents.length === 0 && { written: { credentials, leases: [] } };
    if (opening?.mintAt) admission.claim = { grant, claim: 1, until: opening.mintAt, ...written };
  }
}

/** Two starts of one task at the same moment; trying again settles it. */
export class TaskRaced extends MayflyError {
  constructor() {
    super('task-raced', 'another process admitted this task at the same moment; it is looked at again', 409, true);
  }
}

import { MayflyError } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import type { Grant, GrantState } from '@mayfly/grant';
import { announceTasks, emitAll, insertCredentials, insertGrants, intendMints, stateFacts, transitionGrants } from '@mayfly/store';
import type { Admission, Round } from '../admission.js';

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
  await go(tx, 'denied', admissions);
  const granted = new Map((await go(tx, 'granted', admissions)).map((grant) => [grant.id, grant]));
  await stateFacts(
    tx,
    admissions.map(({ requested }) => requested!),
  );
  await emitAll(
    tx,
    'issuer',
    admissions.map(({ announced }) => announced!),
  );
  await announceTasks(
    tx,
    admissions.map(({ grant }) => grant!.taskId),
  );
  failpoint('C5');
  await intendMints(
    tx,
    admissions.flatMap(({ intents = [] }) => intents),
  );
  for (const admission of admissions) {
    const grant = granted.get(admission.grant!.id);
    if (grant) admission.claim = { grant, claim: 1 };
  }
}

async function go(tx: Round['tx'], to: GrantState & ('granted' | 'denied'), admissions: readonly Admission[]): Promise<Grant[]> {
  const ids = admissions.flatMap(({ grant }) => (grant?.state === to ? [grant.id] : []));
  if (ids.length === 0) return [];
  const gone = await transitionGrants(
    tx,
    'requested',
    to,
    ids.map((id) => ({ id, patch: {} })),
  );
  if (gone.length < ids.length) throw new TypeError('a grant that was just written is not there');
  return gone;
}

/** Two starts of one task at the same moment; trying again settles it. */
export class TaskRaced extends MayflyError {
  constructor() {
    super('task-raced', 'another process admitted this task at the same moment; it is looked at again', 409, true);
  }
}

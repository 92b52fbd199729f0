/**
 * Ends that are told, taken into the ledger many at a time: when everything ends at once the fence has to stand within seconds.
 * @module
 */
import { MayflyError, type Clock } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import type { PolicySet } from '@mayfly/policy';
import {
  announceTasks,
  endGrants,
  insertTombstone,
  isTombstoneOf,
  lockGrantsByTask,
  noteEvents,
  stateFacts,
  type CurrentPolicy,
  type Database,
  type End,
  type Sighting,
  type Sql,
} from '@mayfly/store';
import { RejectedEvent, vouchFor, type TaskEndedMessage, type Voucher } from '@mayfly/task-events';

/** What taking ends in works with. */
export interface TakeEndsDependencies {
  readonly database: Database;
  readonly policies: CurrentPolicy<PolicySet>;
  readonly clock: Clock;
  /** This installation, for which events are signed. */
  readonly audience: string;
}

/** What became of an end: taken in, or the reason why it must be parked. */
export type Taken = RejectedEvent | undefined;

/** An end that its orchestrator stands behind. */
interface Vouched {
  readonly message: TaskEndedMessage;
  readonly tenant: string;
  readonly voucher?: Voucher | undefined;
}

/** Takes all of them in, in one transaction. An end that comes before its start closes the task for ever: it leaves a tombstone. */
export const takeEnds = (
  { database, policies, clock, audience }: TakeEndsDependencies,
  messages: readonly TaskEndedMessage[],
): Promise<Taken[]> =>
  database.transaction('end tasks', async (tx) => {
    const set = await policies.get(tx);
    const refused = new Map<TaskEndedMessage, RejectedEvent>();
    const keepOrRefuse = <One extends { readonly message: TaskEndedMessage }>(one: One, reason: Taken): One[] => {
      if (reason) refused.set(one.message, reason);
      return reason ? [] : [one];
    };
    const judged = await Promise.all(messages.map((message) => vouch(message, set, audience)));
    const vouched = judged.flatMap((one, index) => (one instanceof RejectedEvent ? (refused.set(messages[index]!, one), []) : [one]));
    const known = new Map((await lockGrantsByTask(tx, vouched.map(taskOf))).map((grant) => [grant.taskId as string, grant]));
    const own = vouched.flatMap((one) => keepOrRefuse(one, ofAnother(one, known.get(taskOf(one)))));
    const sightings = await noteEvents(
      tx,
      own.map(({ message: { envelope, digest } }) => ({ source: envelope.source, id: envelope.id, digest })),
    );
    const fresh = own.flatMap((one, index) => (sightings[index] === 'again' ? [] : keepOrRefuse(one, conflictIn(sightings[index]))));
    const at = clock.now();
    const buried = await bury(
      tx,
      fresh.filter((one) => !known.has(taskOf(one))),
      at,
    );
    const early = new Set([...buried, ...fresh.filter((one) => buriedBefore(one, known)).map(taskOf)]);
    await stateEnds(tx, fresh, early, at);
    const ended = await endGrants(
      tx,
      fresh.flatMap((one) => {
        const grant = known.get(taskOf(one));
        return grant ? [{ grant, end: endOf(one, at) }] : [];
      }),
    );
    // Those that end by it were announced with that.
    const announced = new Set<string>([...known.values()].flatMap(({ id, taskId }) => (ended.has(id) ? [taskId] : [])));
    await announceTasks(
      tx,
      fresh.map(taskOf).filter((taskId) => !announced.has(taskId)),
    );
    return messages.map((message) => refused.get(message));
  });

const taskOf = ({ message }: Vouched): string => message.end.taskId;

async function vouch(message: TaskEndedMessage, set: PolicySet, audience: string): Promise<Vouched | RejectedEvent> {
  try {
    const { orchestrator, voucher } = await vouchFor(set.orchestrator(message.envelope.source), message, audience);
    return { message, tenant: orchestrator.tenant, voucher };
  } catch (error) {
    if (error instanceof RejectedEvent) return error;
    throw error;
  }
}

const ofAnother = ({ message }: Vouched, grant: Grant | undefined): Taken =>
  grant && grant.source !== message.envelope.source
    ? new RejectedEvent('foreign-task', 'this task was started by another orchestrator; only that one may end it')
    : undefined;

/** The issuer reads the same topic, and may have been here first. */
const buriedBefore = (one: Vouched, known: ReadonlyMap<string, Grant>): boolean => {
  const grant = known.get(taskOf(one));
  return grant !== undefined && isTombstoneOf(grant, one.message.envelope.id);
};

const conflictIn = (sighting: Sighting | undefined): Taken =>
  sighting === 'conflict'
    ? new RejectedEvent('event-conflict', 'an event with this source and id was seen before with other content')
    : undefined;

const endOf = ({ message: { envelope, end } }: Vouched, at: Date): End => ({
  cause: 'task_ended',
  by: 'revoker',
  at,
  causeEventId: envelope.id,
  outcome: end.outcome,
});

/** Tombstones for tasks that nobody has heard of; returns their tasks. */
async function bury(tx: Sql, unknown: readonly Vouched[], at: Date): Promise<ReadonlySet<string>> {
  const buried = new Set<string>();
  for (const { message, tenant } of unknown) {
    const { envelope, end } = message;
    if (buried.has(end.taskId)) continue;
    const tombstone = await insertTombstone(tx, {
      taskId: end.taskId,
      tenant,
      source: envelope.source,
      outcome: end.outcome,
      eventId: envelope.id,
      at,
    });
    // Its start came this very moment: looked at again, the task is known.
    if (!tombstone) throw new StartRaced();
    buried.add(end.taskId);
  }
  return buried;
}

const stateEnds = (tx: Sql, fresh: readonly Vouched[], early: ReadonlySet<string>, at: Date): Promise<void> =>
  stateFacts(
    tx,
    fresh.map(({ message: { envelope, end }, tenant, voucher }) => ({
      kind: early.has(end.taskId) ? 'dev.mayfly.evidence.task-ended-before-start.v1' : 'dev.mayfly.evidence.task-ended.v1',
      at: at.toISOString(),
      tenant,
      taskId: end.taskId,
      by: 'revoker',
      data: { source: envelope.source, eventId: envelope.id, ...voucher, outcome: end.outcome, reason: end.reason },
      traceparent: envelope.traceparent,
    })),
  );

/** A start and an end of one task at the same moment; trying again settles it. */
class StartRaced extends MayflyError {
  constructor() {
    super('task-raced', 'the task was started at the same moment; its end is looked at again', 409, true);
  }
}

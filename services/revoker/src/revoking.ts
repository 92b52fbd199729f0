/**
 * The revoker's jobs, with everything they need: ends that are told, ends that the clock brings, and the killing.
 * @module
 */
import { newGrantId, type Clock } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import {
  claimRevocations,
  endGrant,
  insertGrant,
  lockGrantByTask,
  noteEvent,
  amendGrant,
  announceTask,
  stateFact,
  type CurrentPolicy,
  type Database,
} from '@mayfly/store';
import type { Killers } from '@mayfly/revocation';
import type { PolicySet } from '@mayfly/policy';
import { RejectedEvent, vouchFor, type TaskEndedMessage, type TaskHeartbeatMessage } from '@mayfly/task-events';
import { SPANS, withSpan } from '@mayfly/telemetry';
import { kill } from './flow.js';
import type { Killing } from './killing.js';

/** What revoking works with. */
export interface RevokingDependencies {
  readonly database: Database;
  readonly killers: Killers;
  readonly policies: CurrentPolicy<PolicySet>;
  readonly clock: Clock;
  /** What this installation is called in signatures. */
  readonly audience: string;
}

/** How long one worker keeps a grant's killing for itself, in seconds. */
const HOLD_SECONDS = 30;
const AT_ONCE = 16;

/** Takes ends in and carries them out. */
export class Revoking {
  constructor(private readonly on: RevokingDependencies) {}

  /**
   * A task ended. An end that comes before its start closes the task for ever: it leaves a tombstone.
   * @throws RejectedEvent when the event must be parked
   */
  async onTaskEnded(message: TaskEndedMessage): Promise<void> {
    const { database, clock, policies, audience } = this.on;
    const { envelope, end, digest } = message;
    failpoint('C2');
    await database.transaction('end task', async (tx) => {
      const registered = (await policies.get(tx)).orchestrator(envelope.source);
      const { orchestrator, voucher } = await vouchFor(registered, message, audience);
      const sighting = await noteEvent(tx, envelope.source, envelope.id, digest);
      if (sighting === 'conflict')
        throw new RejectedEvent('event-conflict', 'an event with this source and id was seen before with other content');
      if (sighting === 'again') return;
      const at = clock.now();
      const told = { cause: 'task_ended', by: 'revoker', at, causeEventId: envelope.id, outcome: end.outcome } as const;
      const tombstone = await insertGrant(tx, {
        id: newGrantId(),
        taskId: end.taskId,
        tenant: orchestrator.tenant,
        source: envelope.source,
        state: 'closed',
        risk: 0,
        openedAt: at,
        closedAt: at,
        endCause: told.cause,
        endOutcome: end.outcome,
        endEventId: envelope.id,
      });
      const grant = await lockGrantByTask(tx, end.taskId);
      if (!grant || grant.source !== envelope.source)
        throw new RejectedEvent('foreign-task', 'this task was started by another orchestrator; only that one may end it');
      await stateFact(tx, {
        kind: tombstone ? 'dev.mayfly.evidence.task-ended-before-start.v1' : 'dev.mayfly.evidence.task-ended.v1',
        at: at.toISOString(),
        tenant: grant.tenant,
        taskId: grant.taskId,
        by: 'revoker',
        data: { source: envelope.source, eventId: envelope.id, ...voucher, outcome: end.outcome, reason: end.reason },
      });
      if (!tombstone) await endGrant(tx, grant, told);
      await announceTask(tx, grant.taskId);
    });
    failpoint('C11');
  }

  /**
   * A sign of life by event. Unknown and ended tasks are ignored: a heartbeat opens nothing.
   * @throws RejectedEvent when it is about a task of its source and the source does not stand behind it
   */
  async onHeartbeat(message: TaskHeartbeatMessage): Promise<void> {
    const { database, clock, policies, audience } = this.on;
    await database.transaction('heartbeat', async (tx) => {
      const grant = await lockGrantByTask(tx, message.taskId);
      if (grant?.source !== message.envelope.source) return;
      await vouchFor((await policies.get(tx)).orchestrator(grant.source), message, audience);
      await amendGrant(tx, grant.id, 'granted', { heartbeatAt: clock.now() });
    });
  }

  /** Kills for grants that have something to lose. Returns how many it took. */
  async killDue(): Promise<number> {
    const { database, clock, killers } = this.on;
    const claims = await claimRevocations(database, clock.now(), HOLD_SECONDS, AT_ONCE);
    await Promise.all(
      claims.map((claim) => {
        const { grant } = claim;
        const parent = grant.traceparent
          ? { traceparent: grant.traceparent, ...(grant.tracestate && { tracestate: grant.tracestate }) }
          : undefined;
        const known: Killing = { database, clock, killers, claim };
        return withSpan(SPANS.closeGrant, { kind: 'consumer', parent }, () => kill(known));
      }),
    );
    return claims.length;
  }
}

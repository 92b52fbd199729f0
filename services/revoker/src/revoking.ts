/**
 * The revoker's jobs, with everything they need: ends that are told, ends that the clock brings, and the killing.
 * @module
 */
import { ledgerAnswered, plusSeconds, type Clock } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { PlaceDealer, type Killers } from '@mayfly/revocation';
import {
  amendGrant,
  claimOldestRevocations,
  claimRevocations,
  DroppedClaims,
  lockGrantByTask,
  settleRevocation,
  type Claimed,
  type CurrentPolicy,
  type Database,
} from '@mayfly/store';
import type { PolicySet } from '@mayfly/policy';
import { vouchFor, type TaskEndedMessage, type TaskHeartbeatMessage } from '@mayfly/task-events';
import { SPANS, withSpan } from '@mayfly/telemetry';
import { together } from '@mayfly/worker';
import { AtTargets } from './at-targets.js';
import { Flood } from './flood.js';
import { kill } from './flow.js';
import { KillLedger } from './kill-ledger.js';
import type { Killing } from './killing.js';
import { takeEnds, type Taken } from './take-ends.js';

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
/** So soon what broke off without a verdict is tried again: mostly the ledger was away. */
const RETRY_SECONDS = 3;
/** A target at which nothing was proven dead for so long does not get on. */
const DRAINS_MILLISECONDS = 3_000;
/** Ends in one transaction: enough that its cost is spread, few enough that it takes a fraction of a second. */
const ENDS_TOGETHER = 250;

/** Takes ends in and carries them out. */
export class Revoking {
  readonly #takeEnd: (message: TaskEndedMessage) => Promise<Taken>;
  readonly #dealer = new PlaceDealer();
  readonly #flood = new Flood(ENDS_TOGETHER);
  readonly #dropped: DroppedClaims;
  readonly #ledger: KillLedger;
  readonly #atTargets = new AtTargets();
  /** When a credential was last proven dead, by target. */
  readonly #provenAt = new Map<string, number>();

  constructor(private readonly on: RevokingDependencies) {
    this.#takeEnd = together({
      most: ENDS_TOGETHER,
      work: (messages) => takeEnds(on, messages),
      apart: ledgerAnswered,
    });
    this.#ledger = new KillLedger(on.database);
    this.#dropped = new DroppedClaims((claim) => settleRevocation(on.database, claim, plusSeconds(on.clock.now(), RETRY_SECONDS)));
  }

  /**
   * A task ended. Ends that arrive side by side are taken in together.
   * @throws RejectedEvent when the event must be parked
   */
  async onTaskEnded(message: TaskEndedMessage): Promise<void> {
    failpoint('C2');
    const rejected = await this.#flood.during(() => this.#takeEnd(message));
    if (rejected) throw rejected;
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

  /** True while so many ends are being taken in that killing shall wait. */
  fencesFirst(): boolean {
    return this.#flood.isHigh();
  }

  /** Takes grants that have something to lose: by lane and by turns between the tenants, some by age. */
  async claim(limit: number): Promise<Claimed[]> {
    const { database, clock } = this.on;
    await this.#dropped.retry();
    const { byLane, byAge } = this.#dealer.deal(limit);
    const now = clock.now();
    const inLanes = byLane > 0 ? await claimRevocations(database, now, HOLD_SECONDS, byLane) : [];
    // Where the lanes leave places free nothing is left that could have waited longer.
    const eldest = byAge > 0 && inLanes.length === byLane ? await claimOldestRevocations(database, now, HOLD_SECONDS, byAge) : [];
    return [...inLanes, ...eldest];
  }

  /** Kills what one grant has to lose. */
  async kill(claim: Claimed): Promise<void> {
    const { database, clock, killers } = this.on;
    const { grant } = claim;
    const parent = grant.traceparent
      ? { traceparent: grant.traceparent, ...(grant.tracestate && { tracestate: grant.tracestate }) }
      : undefined;
    const known: Killing = { database, ledger: this.#ledger, clock, killers, atTargets: this.#atTargets, claim };
    try {
      await withSpan(SPANS.closeGrant, { kind: 'consumer', parent }, () => kill(known));
      for (const [{ credential }, { kind }] of known.verdicts ?? [])
        if (kind === 'over' && credential.spec?.target) this.#provenAt.set(credential.spec.target, performance.now());
    } catch (error) {
      await this.#dropped.drop(claim);
      throw error;
    }
  }

  /** True while credentials at this target are being proven dead one after the other: what still waits there waits for its turn, not for Vault. */
  drains(target: string): boolean {
    return performance.now() - (this.#provenAt.get(target) ?? Number.NEGATIVE_INFINITY) < DRAINS_MILLISECONDS;
  }

  /** Kills what is due now, once, and waits for it. Returns how many grants it took. */
  async killDue(): Promise<number> {
    const claims = await this.claim(AT_ONCE);
    await Promise.all(claims.map((claim) => this.kill(claim)));
    return claims.length;
  }
}

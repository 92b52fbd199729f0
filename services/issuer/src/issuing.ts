/**
 * The issuer's two jobs, with everything they need: admitting starts, and minting what was admitted.
 * @module
 */
import { ledgerAnswered, MayflyError, plusSeconds, type Clock } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import type { SecretIssuer, TaskTokenIssuer, TaskTokenOpener } from '@mayfly/grant';
import type { Policy } from '@mayfly/policy';
import {
  claimMints,
  contradictsInbox,
  credentialsOf,
  DroppedClaims,
  knownTasks,
  giveUpLease,
  insertTombstone,
  type CurrentPolicy,
  leasesOf,
  QuotaWatch,
  releaseMint,
  settleMint,
  type Claimed,
  type Database,
} from '@mayfly/store';
import { currentTrace } from '@mayfly/telemetry';
import { together } from '@mayfly/worker';
import { RejectedEvent, vouchFor, type TaskEndedMessage, type TaskStartedMessage } from '@mayfly/task-events';
import { admitStarts, type Admitted, type Start } from './admit-starts.js';
import { mint as mintAll } from './flow.js';
import { isHeldLongEnough, MintBook, type MintClaim } from './mint-book.js';
import type { Minting } from './minting.js';
import { MINT_HOLD_SECONDS } from './steps/open-grant.js';

/** What issuing works with. */
export interface IssuingDependencies {
  readonly database: Database;
  readonly vault: TaskTokenIssuer & TaskTokenOpener & SecretIssuer;
  readonly policies: CurrentPolicy<Policy>;
  readonly clock: Clock;
  /** What this installation is called in signatures. */
  readonly audience: string;
  /** Starts of one transaction at most. A decider that answers from afar keeps a transaction waiting: there it is 1, and they go side by side. */
  readonly admittedTogether?: number;
}

/** Starts of one transaction at most, where a decision takes no time to speak of. */
const ADMITTED_TOGETHER = 64;
/** Ends that are looked up in one statement at most. */
const ENDS_TOGETHER = 250;
/** So soon after Vault failed it is tried again. What is still to be minted stays in the queue, so that the revoker knows. */
const RETRY_SECONDS = 3;

/** Admits starts and mints. */
export class Issuing {
  readonly #dropped: DroppedClaims;
  readonly #book: MintBook;
  readonly #admit: (start: Start) => Promise<Admitted>;
  readonly #isKnown: (taskId: string) => Promise<boolean>;

  constructor(private readonly on: IssuingDependencies) {
    const { database, clock, admittedTogether = ADMITTED_TOGETHER } = on;
    this.#dropped = new DroppedClaims((claim) => settleMint(database, claim, plusSeconds(clock.now(), RETRY_SECONDS)));
    this.#book = new MintBook(database, clock);
    const admitting = { ...on, quotas: new QuotaWatch(clock) };
    this.#admit =
      admittedTogether > 1
        ? together({ most: admittedTogether, apart: ledgerAnswered, work: (starts) => admitStarts(admitting, starts) })
        : async (start) => (await admitStarts(admitting, [start]))[0]!;
    this.#isKnown = together({
      most: ENDS_TOGETHER,
      work: async (taskIds: readonly string[]) => {
        const known = await knownTasks(database, taskIds);
        return taskIds.map((taskId) => known.has(taskId));
      },
    });
  }

  /**
   * Admits a start durably, then mints for it. Vault's failures stay inside: what was admitted is minted later by {@link mintDue}.
   * @param mint who mints: here and now, unless the caller has somebody better
   * @throws RejectedEvent when the event must be parked; StoreUnavailable or PolicyUnavailable when it has to be tried again
   */
  async onTaskStarted(
    message: TaskStartedMessage,
    mint: (claim: MintClaim) => Promise<Error | undefined> = (claim) => this.mint(claim),
  ): Promise<Error | undefined> {
    failpoint('C2');
    const { claim, failure } = await this.#admit({ message, trace: currentTrace() });
    if (failure !== undefined) throw failure;
    failpoint('C6');
    return claim && mint(claim);
  }

  /**
   * An end of a task that nobody has heard of: its tombstone has to stand before the task's next event is read here. All other ends are the
   * revoker's, which may be far behind; so is the parking of an end that nobody stands behind.
   */
  async onTaskEnded(message: TaskEndedMessage): Promise<void> {
    const { database, clock, policies, audience } = this.on;
    const { envelope, end } = message;
    if (await this.#isKnown(end.taskId)) return;
    const { set } = await policies.get(database);
    const orchestrator = await vouchFor(set.orchestrator(envelope.source), message, audience).then(
      (vouched) => vouched.orchestrator,
      (error: unknown) => {
        if (error instanceof RejectedEvent) return undefined;
        throw error;
      },
    );
    const { source, id } = envelope;
    if (!orchestrator || (await contradictsInbox(database, { source, id, digest: message.digest }))) return;
    await insertTombstone(database, {
      taskId: end.taskId,
      tenant: orchestrator.tenant,
      source,
      outcome: end.outcome,
      eventId: id,
      at: clock.now(),
    });
  }

  /** Takes grants whose minting is due: after a crash, after Vault was away, or when there was no place for them at once. */
  async claim(limit: number): Promise<Claimed[]> {
    const { database, clock } = this.on;
    await this.#dropped.retry();
    return claimMints(database, clock.now(), MINT_HOLD_SECONDS, limit);
  }

  /** Gives back a grant that was claimed, for whoever has a place for it. */
  release(claim: Claimed): Promise<void> {
    const { database, clock } = this.on;
    return releaseMint(database, claim, clock.now());
  }

  /** Mints what is due now, once, and waits for it. Returns how many grants it took. */
  async mintDue(): Promise<number> {
    const claims = await this.claim(8);
    const failures = await Promise.all(claims.map((claim) => this.mint(claim)));
    const failure = failures.find((error) => error !== undefined);
    if (failure) throw failure;
    return claims.length;
  }

  /** Mints for one grant; what failed is given back, and comes due again. */
  async mint(claim: MintClaim): Promise<Error | undefined> {
    const { database, clock, vault, policies } = this.on;
    const { grant } = claim;
    try {
      const written = (isHeldLongEnough(claim, clock) && claim.written) || (await this.#book.read(grant.id));
      const known: Minting = { database, clock, vault, policies, grant, ...written, book: this.#book, claim };
      const finished = await mintAll(known);
      if (!known.settled) await this.#book.settle({ claim, finished });
      return undefined;
    } catch (error) {
      if (error instanceof MayflyError && !error.retriable) await this.#giveUp(claim, error.code);
      else await this.#dropped.drop(claim);
      return error instanceof Error ? error : new Error('minting failed');
    }
  }

  /** Vault refused the task's token for good: what was to be minted with it is over, and said to be. */
  #giveUp(claim: Claimed, reason: string): Promise<void> {
    const { database, clock } = this.on;
    return database.transaction('give up minting', async (tx) => {
      const credentials = await credentialsOf(tx, claim.grant.id);
      for (const lease of await leasesOf(tx, claim.grant.id)) {
        if (lease.state !== 'minting' || lease.minter !== 'issuer') continue;
        const credential = credentials.find(({ name }) => name === lease.name);
        await giveUpLease(tx, claim.grant, credential, lease, reason, clock.now());
      }
      await settleMint(tx, claim, null);
    });
  }
}

/**
 * The issuer's two jobs, with everything they need: admitting starts, and minting what was admitted.
 * @module
 */
import { MayflyError, plusSeconds, type Clock } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import type { SecretIssuer, TaskTokenIssuer, TaskTokenOpener } from '@mayfly/grant';
import type { Policy } from '@mayfly/policy';
import {
  claimMints,
  contradictsInbox,
  credentialsOf,
  DroppedClaims,
  findGrantByTask,
  giveUpLease,
  insertTombstone,
  type CurrentPolicy,
  leasesOf,
  QuotaWatch,
  hurryRevocation,
  releaseMint,
  renewMint,
  settleMint,
  type Claimed,
  type Database,
} from '@mayfly/store';
import { currentTrace } from '@mayfly/telemetry';
import { RejectedEvent, vouchFor, type TaskEndedMessage, type TaskStartedMessage } from '@mayfly/task-events';
import type { Admission } from './admission.js';
import { admit, mint as mintAll } from './flow.js';
import { MINT_HOLD_SECONDS } from './steps/intend-leases.js';

/** What issuing works with. */
export interface IssuingDependencies {
  readonly database: Database;
  readonly vault: TaskTokenIssuer & TaskTokenOpener & SecretIssuer;
  readonly policies: CurrentPolicy<Policy>;
  readonly clock: Clock;
  /** What this installation is called in signatures. */
  readonly audience: string;
}

/** So soon after Vault failed it is tried again. What is still to be minted stays in the queue, so that the revoker knows. */
const RETRY_SECONDS = 3;

/** Admits starts and mints. */
export class Issuing {
  readonly #dropped: DroppedClaims;
  readonly #quotas: QuotaWatch;

  constructor(private readonly on: IssuingDependencies) {
    const { database, clock } = on;
    this.#dropped = new DroppedClaims((claim) => settleMint(database, claim, plusSeconds(clock.now(), RETRY_SECONDS)));
    this.#quotas = new QuotaWatch(clock);
  }

  /**
   * Admits a start durably, then mints for it. Vault's failures stay inside: what was admitted is minted later by {@link mintDue}.
   * @param mint who mints: here and now, unless the caller has somebody better
   * @throws RejectedEvent when the event must be parked; StoreUnavailable or PolicyUnavailable when it has to be tried again
   */
  async onTaskStarted(
    message: TaskStartedMessage,
    mint: (claim: Claimed) => Promise<Error | undefined> = (claim) => this.mint(claim),
  ): Promise<Error | undefined> {
    const { database, clock, policies, audience } = this.on;
    const trace = currentTrace();
    failpoint('C2');
    const admission = await database.transaction('admit task', async (tx): Promise<Admission> => {
      const known: Admission = { tx, message, policies, quotas: this.#quotas, audience, trace, now: clock.now() };
      await admit(known);
      return known;
    });
    failpoint('C6');
    return admission.claim && mint(admission.claim);
  }

  /**
   * An end of a task that nobody has heard of: its tombstone has to stand before the task's next event is read here. All other ends are the
   * revoker's, which may be far behind; so is the parking of an end that nobody stands behind.
   */
  async onTaskEnded(message: TaskEndedMessage): Promise<void> {
    const { database, clock, policies, audience } = this.on;
    const { envelope, end } = message;
    if (await findGrantByTask(database, end.taskId)) return;
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
  async mint(claim: Claimed): Promise<Error | undefined> {
    const { database, clock, vault, policies } = this.on;
    const { grant } = claim;
    const hold = (): Promise<boolean> => renewMint(database, claim, clock.now(), MINT_HOLD_SECONDS);
    try {
      const [credentials, leases] = await Promise.all([credentialsOf(database, grant.id), leasesOf(database, grant.id)]);
      const finished = await mintAll({ database, clock, vault, policies, grant, credentials, leases, hold });
      await database.transaction('settle minting', async (tx) => {
        await settleMint(tx, claim, null);
        // The grant ended meanwhile, and the revoker waits for this word.
        if (!finished) await hurryRevocation(tx, grant.id, clock.now());
      });
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

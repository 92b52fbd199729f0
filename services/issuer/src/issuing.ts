/**
 * The issuer's two jobs, with everything they need: admitting starts, and minting what was admitted.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import type { SecretIssuer, TaskTokenIssuer, TaskTokenOpener } from '@mayfly/grant';
import {
  claimMints,
  credentialsOf,
  type CurrentPolicy,
  leasesOf,
  queueRevocation,
  settleMint,
  type Claimed,
  type Database,
} from '@mayfly/store';
import { currentTrace } from '@mayfly/telemetry';
import type { TaskStartedMessage } from '@mayfly/task-events';
import type { Admission, Policy } from './admission.js';
import { admit, mint } from './flow.js';
import { MINT_HOLD_SECONDS } from './steps/intend-leases.js';

/** What issuing works with. */
export interface IssuingDependencies {
  readonly database: Database;
  readonly vault: TaskTokenIssuer & TaskTokenOpener & SecretIssuer;
  readonly policies: CurrentPolicy<Policy>;
  readonly clock: Clock;
}

/** Admits starts and mints. */
export class Issuing {
  constructor(private readonly on: IssuingDependencies) {}

  /**
   * Admits a start durably, then mints for it. Vault's failures stay inside: what was admitted is minted later by {@link mintDue}.
   * @throws RejectedEvent when the event must be parked; StoreUnavailable or PolicyUnavailable when it has to be tried again
   */
  async onTaskStarted(message: TaskStartedMessage): Promise<Error | undefined> {
    const { database, clock, policies } = this.on;
    const trace = currentTrace();
    const admission = await database.transaction('admit task', async (tx): Promise<Admission> => {
      const known: Admission = { tx, message, policies, trace, now: clock.now() };
      await admit(known);
      return known;
    });
    return admission.claim && this.#mintClaimed(admission.claim);
  }

  /** Mints for grants whose turn it is: after a crash, or after Vault was away. Returns how many it took. */
  async mintDue(): Promise<number> {
    const { database, clock } = this.on;
    const claims = await claimMints(database, clock.now(), MINT_HOLD_SECONDS, 8);
    const failures = await Promise.all(claims.map((claim) => this.#mintClaimed(claim)));
    const failure = failures.find((error) => error !== undefined);
    if (failure) throw failure;
    return claims.length;
  }

  async #mintClaimed(claim: Claimed): Promise<Error | undefined> {
    const { database, clock, vault } = this.on;
    const { grant } = claim;
    try {
      const [credentials, leases] = await Promise.all([credentialsOf(database, grant.id), leasesOf(database, grant.id)]);
      const finished = await mint({ database, clock, vault, grant, credentials, leases });
      await database.transaction('settle minting', async (tx) => {
        await settleMint(tx, claim, null);
        // The grant ended meanwhile, and the revoker waits for this word.
        if (!finished) await queueRevocation(tx, grant.id, clock.now());
      });
      return undefined;
    } catch (error) {
      // It stays due: the hold runs out and it is tried again.
      return error instanceof Error ? error : new Error('minting failed');
    }
  }
}

/**
 * What minting reads and writes in the ledger. Tasks that are minted for side by side share a statement: each by itself would cost one.
 * @module
 */
import { ledgerAnswered, plusSeconds, type Clock, type GrantId } from '@mayfly/domain';
import type { Credential, Grant, Lease, TaskToken } from '@mayfly/grant';
import {
  activateLeases,
  announceTasks,
  credentialsOfAll,
  hurryRevocation,
  keepTaskTokens,
  leasesOfAll,
  renewMints,
  settleMints,
  type Activation,
  type Claimed,
  type Database,
  type NewTaskToken,
} from '@mayfly/store';
import { together } from '@mayfly/worker';
import { MINT_HOLD_SECONDS } from './steps/open-grant.js';

/** What a task asked for, and what has become of it. */
export interface Written {
  readonly credentials: readonly Credential[];
  readonly leases: readonly Lease[];
}

/** A task that this process mints for. */
export interface MintClaim extends Claimed {
  /** What was written down when it was admitted here, where that is all there is to know; it need not be read then. */
  readonly written?: Written;
}

/** A token to be kept, and the claim that ends with it where nothing else is to be minted. */
export interface Keeping {
  readonly grant: Grant;
  readonly created: TaskToken & NewTaskToken;
  readonly settles?: Claimed | undefined;
}

/** The end of a claim. */
export interface Settling {
  readonly claim: Claimed;
  /** False where the grant ended meanwhile: the revoker waits for this word. */
  readonly finished: boolean;
}

/** What is held for so long yet, in seconds, is held without asking: longer than a call of Vault takes with its wait for a place. */
const HELD_ENOUGH_SECONDS = 10;
/** Whether nobody else takes it for long enough, as the clock says by which it was taken. */
export const isHeldLongEnough = ({ until }: Claimed, clock: Clock): boolean =>
  until !== undefined && plusSeconds(clock.now(), HELD_ENOUGH_SECONDS) <= until;

/** Tasks of one statement at most. */
const SHARED = { most: 64, apart: ledgerAnswered };

/** Each is a function of one task that is done together with others'. */
export class MintBook {
  /** What is to be minted. */
  readonly read: (grant: GrantId) => Promise<Written>;
  /** Keeps the minting for this process long enough for a call of Vault; false when another one has it by now, and nothing more may be done. */
  readonly hold: (claim: Claimed) => Promise<boolean>;
  /** Keeps a new token, announced; the grant's state, or undefined when the token is not kept. */
  readonly keepToken: (keeping: Keeping) => Promise<'granted' | 'closing' | undefined>;
  /** See `activateLeases`. */
  readonly activate: (activation: Activation) => Promise<Lease | undefined>;
  /** Ends a claim. */
  readonly settle: (settling: Settling) => Promise<void>;

  constructor(database: Database, clock: Clock) {
    this.read = together({ ...SHARED, work: (grants) => readAll(database, grants) });
    const renew = together({
      ...SHARED,
      work: async (claims: readonly Claimed[]) => {
        const held = await renewMints(database, claims, clock.now(), MINT_HOLD_SECONDS);
        return claims.map((claim) => held.has(claim));
      },
    });
    this.hold = async (claim) => isHeldLongEnough(claim, clock) || renew(claim);
    this.keepToken = together({ ...SHARED, work: (all) => keepAll(database, all) });
    this.activate = together({
      ...SHARED,
      work: (all) => database.transaction('activate lease', (tx) => activateLeases(tx, 'issuer', all)),
    });
    this.settle = together({ ...SHARED, work: (all) => settleAll(database, clock, all) });
  }
}

async function readAll(database: Database, grants: readonly GrantId[]): Promise<Written[]> {
  const [credentials, leases] = await Promise.all([credentialsOfAll(database, grants), leasesOfAll(database, grants)]);
  const [asked, minted] = [Map.groupBy(credentials, ({ grantId }) => grantId), Map.groupBy(leases, ({ grantId }) => grantId)];
  return grants.map((id) => ({ credentials: asked.get(id) ?? [], leases: minted.get(id) ?? [] }));
}

const keepAll = (database: Database, all: readonly Keeping[]): Promise<('granted' | 'closing' | undefined)[]> =>
  database.transaction('keep task token', async (tx) => {
    const kept = await keepTaskTokens(
      tx,
      // A claim ends with it where nothing is left to be minted; what is not kept, or is closing, has more to do.
      all.map(({ grant, created: { sealed, accessor, opens }, settles }) => ({
        id: grant.id,
        sealed,
        accessor,
        opens,
        settles: settles?.claim,
      })),
    );
    await announceTasks(
      tx,
      all.flatMap(({ grant }) => (kept.has(grant.id) ? [grant.taskId] : [])),
    );
    return all.map(({ grant }) => kept.get(grant.id));
  });

const settleAll = (database: Database, clock: Clock, all: readonly Settling[]): Promise<void[]> =>
  database.transaction('settle minting', async (tx) => {
    await settleMints(
      tx,
      all.map(({ claim }) => claim),
    );
    for (const { claim, finished } of all) if (!finished) await hurryRevocation(tx, claim.grant.id, clock.now());
    return all.map(() => undefined);
  });

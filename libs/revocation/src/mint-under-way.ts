/**
 * A mint that is under way while its lease is asked to end may still bring a lease id.
 * @module
 */
import { plusSeconds } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';

/** A mint takes no longer than this, with all its retries, in seconds. */
export const MINT_WINDOW_SECONDS = 20;
/** After this moment the mint of an intent brings nothing any more. */
export const mintOver = ({ intendedAt }: Pick<Lease, 'intendedAt'>): Date => plusSeconds(intendedAt, MINT_WINDOW_SECONDS);

const LOOK_AGAIN_SECONDS = 0.25;

/**
 * INVARIANT: until a mint cannot arrive any more, nothing is said about its lease.
 * @param issuerAtWork whether the issuer holds, or still has to do, the grant's minting
 * @returns when to look again; undefined when the mint is over, whatever came of it
 */
export function mintUnderWay(lease: Lease, issuerAtWork: boolean, now: Date): Date | undefined {
  if (lease.issuedAt) return undefined;
  // The issuer says when it is through. Delivery mints for a request that somebody waits for: it is over when its time is over.
  if (lease.minter === 'issuer') return issuerAtWork ? plusSeconds(now, LOOK_AGAIN_SECONDS) : undefined;
  const over = mintOver(lease);
  return over > now ? over : undefined;
}

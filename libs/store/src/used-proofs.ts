/**
 * Proofs of possession that were used (RFC 9449, 11.1).
 * @module
 */
import { createHash } from 'node:crypto';
import { plusSeconds } from '@mayfly/domain';
import type { CheckedProof, ProofRegister } from '@mayfly/identity';
import type { Sql } from '@mayfly/postgres';

/** Replicas' clocks may be so far apart, in seconds: none forgets what another one would still take. */
const SKEW_SECONDS = 30;

/**
 * One register for all replicas. Every new proof takes up to two old ones away, so that it stays as small as the last two minutes, without
 * a process that cleans.
 */
export const proofRegister = (sql: Sql): ProofRegister => ({
  async firstUse({ thumbprint, proofId, oldFrom }: CheckedProof, now: Date): Promise<boolean> {
    const digest = createHash('sha256').update(`${thumbprint} ${proofId}`).digest();
    const inserted = await sql.run(
      'used-proofs.note',
      `with forgotten as (
         delete from ledger.used_proof where proof in (
           select proof from ledger.used_proof where forget_at < $3 order by forget_at limit 2 for update skip locked))
       insert into ledger.used_proof (proof, forget_at) values ($1, $2) on conflict do nothing returning 1`,
      [digest, plusSeconds(oldFrom, SKEW_SECONDS), now],
    );
    return inserted.length === 1;
  },
});

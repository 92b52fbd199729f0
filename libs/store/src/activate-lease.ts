/**
 * From intent to lease: what was minted is written down, whatever became of the grant meanwhile.
 * @module
 */
import { earliest, plusSeconds } from '@mayfly/domain';
import { credentialIssued, type Credential, type Grant, type Lease, type Minted } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { announceTask } from './changes.js';
import { amendLease, transitionLease } from './leases.js';
import { emit } from './outbox.js';
import { hurryRevocation } from './queues.js';

/** A mint that succeeded in Vault. */
export interface Activation {
  readonly grant: Grant;
  readonly credential: Credential;
  readonly lease: Lease;
  readonly minted: Minted;
  /** What was allowed, in seconds: the lease ends then, however long the engine would let it live. */
  readonly ttlSeconds: number;
  readonly at: Date;
  /** Set when it goes straight to the agent: nothing of it is kept, so that it can never be handed out twice. */
  readonly deliveredAt?: Date;
}

/** What Vault and the target call what was minted. */
export const namesOf = ({ vaultLeaseId, principal }: Minted): Pick<Lease, 'vaultLeaseId' | 'principal'> => ({
  ...(vaultLeaseId && { vaultLeaseId }),
  ...(principal && { principal }),
});

/**
 * `minting → active`, announced. When the lease was asked to end meanwhile, its names are written down for the revoker instead.
 * @returns the active lease, or undefined when it is to be revoked
 */
export async function activateLease(
  tx: Sql,
  owner: string,
  { grant, credential, lease, minted, ttlSeconds, at, deliveredAt }: Activation,
): Promise<Lease | undefined> {
  const allowed = plusSeconds(at, ttlSeconds);
  // A credential that nobody can end earlier lives as long as it says itself; any other ends when it was allowed to, or earlier.
  const expiresAt =
    credential.spec?.shape === 'expiry-only'
      ? (minted.expiresAt ?? allowed)
      : credential.spec?.shape === 'static'
        ? minted.expiresAt
        : earliest(allowed, minted.expiresAt ?? allowed);
  const names = {
    issuedAt: at,
    ...(expiresAt && { expiresAt }),
    ...(deliveredAt && { deliveredAt }),
    ...namesOf(minted),
  };
  const active = await transitionLease(tx, lease.ref, 'minting', 'active', names);
  if (active) {
    await emit(tx, owner, credentialIssued(grant, credential, active, { at }));
    await announceTask(tx, grant.taskId);
    return active;
  }
  await amendLease(tx, lease.ref, ['revoking', 'stuck'], names);
  await hurryRevocation(tx, grant.id, at);
  return undefined;
}

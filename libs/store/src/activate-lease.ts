/**
 * From intent to lease: what was minted is written down, whatever became of the grant meanwhile.
 * @module
 */
import { earliest, plusSeconds } from '@mayfly/domain';
import { credentialIssued, type Credential, type Grant, type Lease, type Minted } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { amendLease, transitionLeases, type LeasePatch } from './leases.js';
import { emitAll } from './outbox.js';
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
 * `minting → active`, announced. Where a lease was asked to end meanwhile, its names are written down for the revoker instead.
 * @returns the active leases in the order of the activations; undefined for one that is to be revoked
 */
export async function activateLeases(tx: Sql, owner: string, activations: readonly Activation[]): Promise<(Lease | undefined)[]> {
  const active = await writeActive(tx, activations);
  const done = activations.flatMap((activation, place) => (active[place] ? [{ ...activation, lease: active[place] }] : []));
  await emitAll(
    tx,
    owner,
    done.map(({ grant, credential, lease, at }) => credentialIssued(grant, credential, lease, { at })),
    done.map(({ grant }) => grant.taskId),
  );
  return active;
}

/** The same for who announces them himself, in the same transaction. */
export async function writeActive(tx: Sql, activations: readonly Activation[]): Promise<(Lease | undefined)[]> {
  const changed = await transitionLeases(
    tx,
    ['minting'],
    'active',
    activations.map((activation) => ({ ref: activation.lease.ref, patch: { ...EMPTY, ...patchOf(activation) } })),
  );
  const active = new Map(changed.map((lease) => [lease.ref, lease]));
  for (const activation of activations) {
    const { grant, lease, at } = activation;
    if (active.has(lease.ref)) continue;
    await amendLease(tx, lease.ref, ['revoking', 'stuck'], patchOf(activation));
    await hurryRevocation(tx, grant.id, at);
  }
  return activations.map(({ lease }) => active.get(lease.ref));
}

/** What an active lease may lack. */
const EMPTY = { expiresAt: null, deliveredAt: null, vaultLeaseId: null, principal: null } as const;

function patchOf({ credential, minted, ttlSeconds, at, deliveredAt }: Activation): LeasePatch {
  const allowed = plusSeconds(at, ttlSeconds);
  // A credential that nobody can end earlier lives as long as it says itself; any other ends when it was allowed to, or earlier.
  const expiresAt =
    credential.spec?.shape === 'expiry-only'
      ? (minted.expiresAt ?? allowed)
      : credential.spec?.shape === 'static'
        ? minted.expiresAt
        : earliest(allowed, minted.expiresAt ?? allowed);
  return { issuedAt: at, ...(expiresAt && { expiresAt }), ...(deliveredAt && { deliveredAt }), ...namesOf(minted) };
}

/**
 * Killing one lease and proving it. What can be claimed at the end depends on the capability's shape, and nothing more is ever claimed.
 * @module
 */
import { MayflyError } from '@mayfly/domain';
import type { Credential, Lease, Proof } from '@mayfly/grant';
import type { SecretRevoker, TargetProbe, TargetQuarantine } from './ports.js';

/** What killing works with. */
export interface Killers {
  readonly revoker: SecretRevoker;
  readonly probe: TargetProbe;
  readonly quarantine: TargetQuarantine;
}

/** What became of an attempt. */
export type Verdict =
  /** Over, with what was checked. `revoked` is only ever said of a `revocable` shape. */
  | { readonly kind: 'over'; readonly state: 'revoked' | 'expired' | 'access_ended'; readonly proof: Proof }
  /** Nobody can end it earlier: look again then. */
  | { readonly kind: 'later'; readonly at: Date }
  /** It may still live. `problem` is a stable code. */
  | { readonly kind: 'alive'; readonly problem: string };

/** One lease with its credential. */
export interface Doomed {
  readonly lease: Lease;
  readonly credential: Credential;
}

/** First half: asks Vault to revoke the lease and waits for it. Returns the code of what went wrong. */
export async function strike({ lease, credential }: Doomed, { revoker }: Pick<Killers, 'revoker'>): Promise<string | undefined> {
  if (credential.spec?.shape !== 'revocable' || !lease.vaultLeaseId) return undefined;
  const { vaultLeaseId } = lease;
  return problemOf(() => revoker.revokeLease(vaultLeaseId));
}

/**
 * Second half: looks whether it is true.
 * @param tokenProof what Vault said about the task's token, when the whole grant ends; undefined while the token lives on
 */
export async function confirm(
  { lease, credential }: Doomed,
  killers: Pick<Killers, 'revoker' | 'probe'>,
  now: Date,
  tokenProof: string | undefined,
): Promise<Verdict> {
  const { spec } = credential;
  if (!spec) return { kind: 'alive', problem: 'no-specification' };
  const token = tokenProof && { token: tokenProof };
  if (spec.shape === 'static') {
    return { kind: 'over', state: 'access_ended', proof: { shape: spec.shape, ...(token || { lease: 'static: not handed out again' }) } };
  }
  if (spec.shape === 'expiry-only') return confirmExpiry(lease, now, token || {});
  try {
    return await confirmDeath(lease, spec, killers, token || {}, lease.grantId);
  } catch (error) {
    return { kind: 'alive', problem: codeOf(error) };
  }
}

function confirmExpiry(lease: Lease, now: Date, token: { token?: string }): Verdict {
  const shape = 'expiry-only';
  if (!lease.issuedAt) {
    // Its mint was interrupted, so that nobody was handed it; what was kept for it went with the token. Whether it ever existed, nobody can say.
    if (!token.token) return { kind: 'alive', problem: 'lease-id-unknown' };
    return { kind: 'over', state: 'access_ended', proof: { shape, lease: 'never handed out; its token is gone', ...token } };
  }
  if (!lease.expiresAt) return { kind: 'alive', problem: 'no-expiry' };
  if (lease.expiresAt > now) return { kind: 'later', at: lease.expiresAt };
  return { kind: 'over', state: 'expired', proof: { shape, lease: `validity ended ${lease.expiresAt.toISOString()}`, ...token } };
}

async function confirmDeath(
  lease: Lease,
  spec: NonNullable<Credential['spec']>,
  { revoker, probe }: Pick<Killers, 'revoker' | 'probe'>,
  token: { token?: string },
  grantId: Lease['grantId'],
): Promise<Verdict> {
  const proof: { shape: typeof spec.shape; lease?: string; target?: string; token?: string } = { shape: spec.shape, ...token };
  if (lease.vaultLeaseId) {
    if (!(await revoker.isLeaseGone(lease.vaultLeaseId))) return { kind: 'alive', problem: 'lease-still-known' };
    proof.lease = 'vault: invalid lease';
  } else if (token.token) {
    // The mint was interrupted before its lease id was written down; it hung on the token, which is gone.
    proof.lease = 'lease id never seen; its token is gone';
  } else {
    return { kind: 'alive', problem: 'lease-id-unknown' };
  }
  if (spec.probe) {
    const answer = await askTarget(lease, spec, { revoker, probe }, grantId);
    if (!answer.dead) return { kind: 'alive', problem: 'target-still-accepts' };
    proof.target = answer.checked;
  }
  return { kind: 'over', state: 'revoked', proof };
}

async function askTarget(
  lease: Lease,
  spec: NonNullable<Credential['spec']>,
  { revoker, probe }: Pick<Killers, 'revoker' | 'probe'>,
  grantId: Lease['grantId'],
) {
  if (spec.engine === 'pki') {
    // A certificate that was never written down cannot be looked up; its key was never handed to anyone either.
    if (!lease.principal) return { dead: true, checked: 'certificate was never handed out' };
    return { dead: await revoker.isCertificateRevoked(spec.mount, lease.principal), checked: 'serial number is on the revocation list' };
  }
  return probe.probe({ capability: spec, principal: lease.principal, grantId });
}

/** Runs a call and returns the code of its failure, or undefined. */
export async function problemOf(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

const codeOf = (error: unknown): string => (error instanceof MayflyError ? error.code : 'unexpected');

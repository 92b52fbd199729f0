/** The world in which leases die, as ports that answer what a test says. */
import { MayflyError, newGrantId, newLeaseRef, plusSeconds, VaultUnavailable, type Capability, type Shape } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';
import type { Doomed, Killers, ProbeSubject } from '@mayfly/revocation';

export const NOW = new Date('2026-01-01T00:00:00Z');
export const TOKEN_GONE = 'vault: invalid accessor';
export const GRANT = newGrantId();

/** What the world answers; `away` throws. */
export interface World {
  readonly lease: 'gone' | 'known' | 'away';
  readonly target: 'dead' | 'accepts' | 'away';
}
/** What was asked of it; a test empties what it looks at. */
export const asked: { subjects: ProbeSubject[]; revoked: string[]; serials: string[] } = { subjects: [], revoked: [], serials: [] };

/** A world that answers so. */
export function killersIn({ lease, target }: World): Killers {
  const targetAnswers = (): boolean => {
    if (target === 'away') throw new MayflyError('target-unavailable', 'away', 503, true);
    return target === 'dead';
  };
  const vaultAnswers = (): void => {
    if (lease === 'away') throw new VaultUnavailable();
  };
  return {
    revoker: {
      revokeLease: async (id) => {
        vaultAnswers();
        asked.revoked.push(id);
      },
      isLeaseGone: async () => {
        vaultAnswers();
        return lease === 'gone';
      },
      revokeToken: async () => {
        vaultAnswers();
        return 'asked';
      },
      isTokenGone: async () => false,
      revokeCertificate: async () => vaultAnswers(),
      isCertificateRevoked: async (_mount, serial) => {
        asked.serials.push(serial);
        return targetAnswers();
      },
    },
    probe: {
      probe: async (subject) => {
        asked.subjects.push(subject);
        return { dead: targetAnswers(), checked: 'postgres: 0 login roles, 0 open sessions' };
      },
    },
    settledUntil: () => undefined,
    quarantine: { targets: [], principals: async () => [], quarantine: async () => undefined },
  };
}

/** An engine that can have the shape. */
const ENGINE_OF: Readonly<Record<Shape, Capability['engine']>> = { revocable: 'database', 'expiry-only': 'ssh', static: 'kv' };

export interface Changes {
  readonly spec?: Partial<Capability>;
  readonly lease?: Partial<Lease>;
}
/** A lease that shall end, with its credential, as the ledger knows them. */
export const doomed = (shape: Shape, { spec = {}, lease = {} }: Changes = {}): Doomed => ({
  credential: {
    grantId: GRANT,
    name: 'orders',
    capability: 'orders-db.read',
    permitted: true,
    decisionId: 'd1',
    policyDigest: 'sha256:one',
    reasons: [],
    policies: [],
    fetches: 0,
    spec: {
      name: 'orders-db.read',
      engine: ENGINE_OF[shape],
      shape,
      mint: 'on-start',
      mount: 'database',
      role: 'orders-read',
      access: 'read',
      onVaultDrift: 'alarm',
      vaultPolicy: 'cap-orders-db.read',
      dataClass: 'internal',
      maxTtlSeconds: 60,
      maxFetches: 1,
      probe: true,
      ...spec,
    },
  },
  lease: {
    ref: newLeaseRef(),
    grantId: GRANT,
    name: 'orders',
    state: 'revoking',
    minter: 'issuer',
    intendedAt: NOW,
    issuedAt: NOW,
    vaultLeaseId: 'database/creds/x',
    principal: 'token-user',
    expiresAt: plusSeconds(NOW, 60),
    cause: 'task_ended',
    ...lease,
  },
});
/** A mint that nobody lived to write down. */
export const neverWritten = {
  issuedAt: undefined,
  vaultLeaseId: undefined,
  principal: undefined,
  expiresAt: undefined,
} as unknown as Partial<Lease>;

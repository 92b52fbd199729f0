/**
 * What nobody can end early: a certificate that its targets check by themselves. Its life is short, and it is waited for.
 * @module
 */
import { plusSeconds } from '@mayfly/domain';
import { mintOver } from '../mint-under-way.js';
import type { Reaper } from './reaper.js';

const shape = 'expiry-only';

/** Dead: its validity is over. */
export const expiring = (): Reaper => ({
  revoke: async () => undefined,
  verify: async ({ lease, credential: { spec } }, { now, tokenProof }) => {
    const token = tokenProof && { token: tokenProof };
    if (!lease.issuedAt) {
      // Its mint was interrupted, so that nobody was handed it; what was kept for it went with the token. Whether it ever existed, nobody can say.
      if (token) return { kind: 'over', state: 'access_ended', proof: { shape, lease: 'never handed out; its token is gone', ...token } };
      // While its task lives: whatever that mint may have made is over by then.
      const latest = plusSeconds(mintOver(lease), spec?.maxTtlSeconds ?? 0);
      if (latest > now) return { kind: 'later', at: latest };
      return {
        kind: 'over',
        state: 'expired',
        proof: { shape, lease: `never handed out; the longest validity ended ${latest.toISOString()}` },
      };
    }
    if (!lease.expiresAt) return { kind: 'alive', problem: 'no-expiry' };
    if (lease.expiresAt > now) return { kind: 'later', at: lease.expiresAt };
    return { kind: 'over', state: 'expired', proof: { shape, lease: `validity ended ${lease.expiresAt.toISOString()}`, ...token } };
  },
  quarantine: async () => undefined,
});

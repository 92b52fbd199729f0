/**
 * What never dies: a stored object or a data key, once read, is known for ever. Only the way to it closes.
 * @module
 */
import type { Reaper } from './reaper.js';

/** Over: it is not handed out again. Nothing more is claimed. */
export const lasting = (): Reaper => ({
  revoke: async () => undefined,
  verify: async (_, { tokenProof }) => ({
    kind: 'over',
    state: 'access_ended',
    proof: { shape: 'static', ...(tokenProof ? { token: tokenProof } : { lease: 'static: not handed out again' }) },
  }),
  quarantine: async () => undefined,
});

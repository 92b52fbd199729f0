import { plusSeconds } from '@mayfly/domain';
import type { OrphanWatch, SecretRevoker, VaultInventory, VaultMarks } from '@mayfly/revocation';
import { endGrant, findGrant, grantsWithoutToken, lockGrant, unnamedTokens } from '@mayfly/store';
import { noteGone, OWN_END_SECONDS, PAGE } from './note-gone.js';
import type { Walk, WalkDependencies } from './walk.js';

/** Where the walks of Vault list, and end. */
export interface VaultWalks extends WalkDependencies {
  readonly inventory: VaultInventory;
  readonly marks: VaultMarks;
  readonly revoker: SecretRevoker;
}

/**
 * Task tokens: one whose making was interrupted, or whose grant is over, is ended with everything that hangs on it. A live grant whose token
 * Vault no longer has is over: whoever may do so in Vault has ended it.
 */
export function taskTokens(on: VaultWalks, watch: OrphanWatch): Walk {
  const { database, clock, inventory, revoker } = on;
  /** Services' and operators' tokens are looked up once, not at every walk. */
  let others = new Set<string>();
  let before = new Set<string>();
  let fresh = new Set<string>();
  return {
    kind: 'token',
    watch,
    list: async () => {
      const accessors = await inventory.tokens();
      others = new Set(accessors.filter((accessor) => others.has(accessor)));
      fresh = new Set(accessors.filter((accessor) => !before.has(accessor)));
      before = new Set(accessors);
      return accessors;
    },
    unexplained: async (accessors) => {
      const unnamed = await unnamedTokens(
        database,
        accessors.filter((accessor) => !others.has(accessor)),
      );
      const ours: string[] = [];
      for (const accessor of unnamed) {
        // INVARIANT: a token that is only just listed may still be in the making, and looking it up then kills it (measured on OpenBao
        // 2.7.2: it has no lease yet, so that the look-up takes it for a broken one). Whose it is, the next walk asks.
        if (fresh.has(accessor) || (await inventory.grantOfToken(accessor))) ours.push(accessor);
        else others.add(accessor);
      }
      return ours;
    },
    end: async (accessor) => {
      const grantId = await inventory.grantOfToken(accessor);
      if (!grantId) return undefined;
      await revoker.revokeToken(accessor);
      return { grant: await findGrant(database, grantId), data: { what: 'task token' } };
    },
    missing: async (accessors) => {
      const endsLater = plusSeconds(clock.now(), OWN_END_SECONDS);
      const missing = await grantsWithoutToken(database, accessors, endsLater, PAGE);
      for (const { id, tokenAccessor } of missing) {
        if (!tokenAccessor || !(await revoker.isTokenGone(tokenAccessor))) continue;
        await database.transaction('end grant without token', async (tx) => {
          const grant = await lockGrant(tx, id);
          const at = clock.now();
          if (grant && (await endGrant(tx, grant, { cause: 'operator', by: 'revoker', at }))) await noteGone(tx, grant, 'task token', at);
        });
      }
      return missing.length;
    },
  };
}

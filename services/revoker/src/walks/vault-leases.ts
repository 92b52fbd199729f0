import { plusSeconds, type Capability } from '@mayfly/domain';
import type { OrphanWatch } from '@mayfly/revocation';
import { credentialsOf, endLease, findLease, leasesWithoutName, lockGrant, unnamedLeases } from '@mayfly/store';
import { noteGone, OWN_END_SECONDS, PAGE } from './note-gone.js';
import type { VaultWalks } from './task-tokens.js';
import type { Walk } from './walk.js';

/**
 * Leases of a capability's role, which belongs to Mayfly alone. One that the ledger cannot name is what became of a mint whose answer was lost.
 * An active lease that Vault no longer has is ended here too, so that its agent gets a fresh one.
 */
export function vaultLeases({ database, clock, inventory, revoker }: VaultWalks, capability: Capability, watch: OrphanWatch): Walk {
  const data = { what: 'lease', capability: capability.name };
  return {
    kind: capability.engine,
    watch,
    list: () => inventory.leases(capability),
    unexplained: (ids) => unnamedLeases(database, ids),
    end: async (id) => {
      await revoker.revokeLease(id);
      return (await revoker.isLeaseGone(id)) ? { data } : undefined;
    },
    missing: async (ids) => {
      const endsLater = plusSeconds(clock.now(), OWN_END_SECONDS);
      const missing = await leasesWithoutName(database, capability, ids, endsLater, PAGE);
      for (const { ref, grantId, vaultLeaseId } of missing) {
        if (!vaultLeaseId || !(await revoker.isLeaseGone(vaultLeaseId))) continue;
        await database.transaction('end lease without name', async (tx) => {
          const grant = await lockGrant(tx, grantId);
          const lease = await findLease(tx, ref);
          const credential = (await credentialsOf(tx, grantId)).find(({ name }) => name === lease?.name);
          if (!grant || !lease || !credential) return;
          const at = clock.now();
          if (await endLease(tx, grant, credential, lease, { cause: 'operator', by: 'revoker', at }))
            await noteGone(tx, grant, 'lease', at, lease);
        });
      }
      return missing.length;
    },
  };
}

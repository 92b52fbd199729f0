import type { Capability } from '@mayfly/domain';
import type { OrphanWatch } from '@mayfly/revocation';
import { unnamedCertificates } from '@mayfly/store';
import type { VaultWalks } from './task-tokens.js';
import type { Walk } from './walk.js';

/** Certificates that a mount remembers under the capability's name: one that no lease has ever named is put on the revocation list. */
export function certificates({ database, inventory, revoker }: VaultWalks, capability: Capability, watch: OrphanWatch): Walk {
  const { mount } = capability;
  /** Authorities, what was revoked, what has run out, what others issued: looked up once. */
  let settled = new Set<string>();
  return {
    kind: capability.engine,
    watch,
    list: async () => {
      const serials = await inventory.certificates(mount);
      settled = new Set(serials.filter((serial) => settled.has(serial)));
      return serials;
    },
    unexplained: async (serials) => {
      const unnamed = await unnamedCertificates(
        database,
        serials.filter((serial) => !settled.has(serial)),
      );
      const live: string[] = [];
      for (const serial of unnamed) {
        if (await inventory.liveCertificate(capability, serial)) live.push(serial);
        else settled.add(serial);
      }
      return live;
    },
    end: async (serial) => {
      await revoker.revokeCertificate(mount, serial);
      return { data: { what: 'certificate', capability: capability.name, principal: serial } };
    },
  };
}

import type { Policy } from '@mayfly/policy';
import { hasDrifted, vaultDigests, type CurrentPolicy, type Database } from '@mayfly/store';

/** What the current catalogue has, and whether Vault is what it declares. */
export class Capabilities {
  constructor(private readonly on: { readonly database: Database; readonly policies: CurrentPolicy<Policy> }) {}

  /** All of them, in the catalogue's order. @throws PolicyUnavailable */
  async list() {
    const { database, policies } = this.on;
    const { set } = await policies.get(database);
    const known = await vaultDigests(database);
    return {
      policyDigest: set.digest,
      capabilities: set.capabilities.map((capability) => {
        const { name, engine, shape, mount, role, vaultPolicy, dataClass, access, vaultDigest: declared, onVaultDrift } = capability;
        const read = known.get(name);
        const differs = hasDrifted(capability, read);
        return {
          name,
          engine,
          shape,
          mount,
          role,
          vaultPolicy,
          dataClass,
          access,
          onVaultDrift,
          ...(declared !== undefined && { declared }),
          // Null says more than absence: it was looked for, and is not in Vault.
          ...(read && { found: read.found }),
          state:
            !read || (declared ?? null) !== read.declared ? 'not-read' : !declared ? 'not-declared' : differs ? 'differs' : 'as-declared',
          ...(differs && read && { differsSince: read.since.toISOString() }),
        };
      }),
    };
  }
}

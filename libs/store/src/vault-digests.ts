/**
 * Whether Vault is what the catalogue declares, as the ledger knows it: the revoker reads Vault, everybody else reads this.
 * @module
 */
import type { Capability } from '@mayfly/domain';
import { denyDrifted, type Policy, type PolicySet } from '@mayfly/policy';
import type { Sql } from '@mayfly/postgres';
import { CHANNELS } from './channels.js';
import { stateFact } from './evidence.js';

/** What a capability was in Vault when it was last looked at. */
export interface VaultDigest {
  readonly capability: string;
  /** What the catalogue declared then; null: nothing. */
  readonly declared: string | null;
  /** What was found; null: its policy or its role is not there. */
  readonly found: string | null;
  /** Since when both are what they are. */
  readonly since: Date;
}

type Found = Pick<VaultDigest, 'declared' | 'found'>;
const ALL = 'select capability, declared, found, since from ledger.vault_digest';

/** What is known of each capability that was ever looked at, by its name. */
export async function vaultDigests(sql: Sql): Promise<ReadonlyMap<string, VaultDigest>> {
  const rows = await sql.run<VaultDigest>('vault_digest.all', ALL);
  return new Map(rows.map((row) => [row.capability, row]));
}

/**
 * True when a capability declares a digest and Vault, looked at for this very declaration, was something else. What was found before somebody
 * declared it may be old, so that a declaration that nobody has compared yet is not known to differ.
 */
export const hasDrifted = ({ vaultDigest }: Pick<Capability, 'vaultDigest'>, known: Found | undefined): boolean =>
  vaultDigest !== undefined && known?.declared === vaultDigest && known.found !== vaultDigest;

/** Names of a set's capabilities that are in Vault not what the set declares. */
export async function driftedCapabilities(sql: Sql, set: Pick<PolicySet, 'capabilities'>): Promise<ReadonlySet<string>> {
  const declaring = set.capabilities.some(({ vaultDigest }) => vaultDigest !== undefined);
  return declaring ? driftedAmong(set, await vaultDigests(sql)) : new Set();
}

/** The same by what was found. */
const driftedAmong = ({ capabilities }: Pick<PolicySet, 'capabilities'>, known: ReadonlyMap<string, Found>): ReadonlySet<string> =>
  new Set(capabilities.filter((capability) => hasDrifted(capability, known.get(capability.name))).map(({ name }) => name));

/**
 * What {@link driftedCapabilities} will name once this set was compared, as far as is known by what was found last: a set that is only planned
 * was never compared, and what nobody has ever read is not foretold.
 */
export async function foretellDrifted(sql: Sql, { capabilities }: Pick<PolicySet, 'capabilities'>): Promise<ReadonlySet<string>> {
  const known = await vaultDigests(sql);
  const differing = capabilities.filter(({ name, vaultDigest }) => {
    const read = known.get(name);
    return vaultDigest !== undefined && read !== undefined && read.found !== vaultDigest;
  });
  return new Set(differing.map(({ name }) => name));
}

/** Of these, the ones whose live leases shall end while Vault differs. */
export const revokedByDrift = ({ capability }: Pick<PolicySet, 'capability'>, drifted: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...drifted].filter((name) => capability(name)?.onVaultDrift === 'revoke'));

/**
 * The same policy, by which nothing is minted or fetched that is in Vault not what the catalogue declares.
 * @param what of that: all (for what is to be given now), or only what live grants lose by it too
 */
export async function heedVault(sql: Sql, { set, decider }: Policy, what: 'all' | 'revoked' = 'all'): Promise<Policy> {
  const drifted = await driftedCapabilities(sql, set);
  return { set, decider: denyDrifted(decider, what === 'all' ? drifted : revokedByDrift(set, drifted)) };
}

/** The same by what was found, for who has just read it: nothing is minted or fetched that is not what is declared. */
export const heedDigests = ({ set, decider }: Policy, known: ReadonlyMap<string, Found>): Policy => ({
  set,
  decider: denyDrifted(decider, driftedAmong(set, known)),
});

/** What was read in Vault. */
export interface Looked {
  readonly capability: Pick<Capability, 'name' | 'vaultDigest' | 'onVaultDrift' | 'vaultPolicy' | 'mount' | 'role'>;
  /** Null: its policy or its role is not there. */
  readonly found: string | null;
  readonly at: Date;
}

/**
 * Notes what was found. What changed is stated as evidence, once, whoever looks: `vault-drift` when it begins to differ or differs otherwise,
 * `vault-drift-resolved` when it is as declared again.
 * @returns whether anything changed
 */
export async function noteVaultDigest(tx: Sql, { capability, found, at }: Looked): Promise<boolean> {
  const { name, vaultDigest: declared, onVaultDrift } = capability;
  await tx.run(
    'vault_digest.begin',
    'insert into ledger.vault_digest (capability, declared, found, since) values ($1, $2, $2, $3) on conflict do nothing',
    [name, declared ?? null, at],
  );
  const [before] = await tx.run<VaultDigest>('vault_digest.lock', `${ALL} where capability = $1 for update`, [name]);
  if (!before || (before.declared === (declared ?? null) && before.found === found)) return false;
  await tx.run('vault_digest.note', 'update ledger.vault_digest set declared = $2, found = $3, since = $4 where capability = $1', [
    name,
    declared ?? null,
    found,
    at,
  ]);
  const differed = before.declared !== null && before.declared !== before.found;
  const differs = declared !== undefined && declared !== found;
  if (differs || differed) {
    await stateFact(tx, {
      kind: differs ? 'dev.mayfly.evidence.vault-drift.v1' : 'dev.mayfly.evidence.vault-drift-resolved.v1',
      at: at.toISOString(),
      by: 'revoker',
      data: {
        capability: name,
        declared,
        found,
        vaultPolicy: capability.vaultPolicy,
        mount: capability.mount,
        role: capability.role,
        onVaultDrift,
      },
    });
  }
  await tx.run('vault_digest.wake', `select pg_notify('${CHANNELS.vault}', '')`);
  return true;
}

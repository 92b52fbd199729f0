/**
 * Everything that can be listed is walked. What cannot be is said here: an SSH certificate and a data key are remembered by nobody, so that
 * only their short life, or the rotation of their key, ends one that was lost; a stored object is no copy of ours.
 *
 * To add a kind: a file beside this one that makes a {@link Walk} of it, and its line here.
 * @module
 */
import type { Capability } from '@mayfly/domain';
import { OrphanWatch } from '@mayfly/revocation';
import type { PostgresQuarantine } from '@mayfly/targets';
import { Stillness } from '../stillness.js';
import { certificates } from './certificates.js';
import { databaseUsers } from './database-users.js';
import { taskTokens, type VaultWalks } from './task-tokens.js';
import { vaultLeases } from './vault-leases.js';
import { walk, type Walk, type WalkDependencies } from './walk.js';

/** Walks the targets: one round, each target whether or not another one can be reached. */
export function walksOfTargets(on: WalkDependencies, quarantines: readonly PostgresQuarantine[], orphanAfterSeconds: number) {
  const walks = quarantines.map((quarantine) => databaseUsers(on, quarantine, new OrphanWatch(orphanAfterSeconds)));
  return { round: () => allOf(on, walks) };
}

/**
 * Walks Vault: task tokens, and what the catalogue's capabilities have minted. A capability that leaves the catalogue is walked until the
 * process ends: its leases may outlive its entry. While neither Vault nor the ledger was written since everything was settled, a walk would
 * find what the last one found, and is left out.
 */
export function walksOfVault(on: VaultWalks, capabilities: () => Promise<readonly Capability[]>, orphanAfterSeconds: number) {
  const tokens = taskTokens(on, new OrphanWatch(orphanAfterSeconds));
  const leases = new Map<string, Walk>();
  const listed = new Map<string, Walk>();
  const stillness = new Stillness({ ...on, tables: ['task_grant', 'lease', 'retired_token'] });
  const round = async (): Promise<void> => {
    const lookedAt = on.clock.now();
    const current = await capabilities();
    const settle = await stillness.begin(current);
    if (!settle) return [tokens, ...leases.values(), ...listed.values()].forEach(({ watch }) => watch.same(lookedAt));
    for (const capability of current) {
      if (capability.shape !== 'revocable') continue;
      const role = roleOf(capability);
      if (!leases.has(role)) leases.set(role, vaultLeases(on, capability, new OrphanWatch(orphanAfterSeconds)));
      if (capability.engine === 'pki' && !listed.has(role))
        listed.set(role, certificates(on, capability, new OrphanWatch(orphanAfterSeconds)));
    }
    if (await allOf(on, [tokens, ...leases.values(), ...listed.values()])) settle();
  };
  return { round, settledUntil: (capability: Capability) => leases.get(roleOf(capability))?.watch.settledUntil() };
}

const roleOf = ({ engine, mount, role }: Capability): string => `${engine} ${mount} ${role}`;

/**
 * Walks all, then throws the first failure: one place that is away does not keep the others from being walked.
 * @returns true when all is settled everywhere
 */
async function allOf(on: WalkDependencies, walks: readonly Walk[]): Promise<boolean> {
  const ended = await Promise.allSettled(walks.map((one) => walk(on, one)));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return ended.every((one) => one.status === 'fulfilled' && one.value);
}

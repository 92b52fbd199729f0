/** A revoker on a real ledger, a fake Vault and a target that says what the test wants. */
import { ManualClock, MayflyError, type Capability } from '@mayfly/domain';
import { readPolicySet } from '@mayfly/policy';
import type { Killers, ProbeResult, ProbeSubject, TargetQuarantine } from '@mayfly/revocation';
import {
  activateLeases,
  amendGrant,
  CurrentPolicy,
  endGrant,
  findGrantByTask,
  lockGrantByTask,
  readTaskEntries,
  type Database,
} from '@mayfly/store';
import { anybodys } from '../../../libs/store/test/example.js';
import { AT, capability, granted } from '../../../libs/store/test/ledger.js';
import { FakeVault } from '../../../libs/vault/test/fake-vault.js';
import { Revoking } from '../src/revoking.js';

export const SOURCE = 'urn:example:orchestrator';

/** A new revoker; with the same clock and Vault it is another replica. */
export function revokerOn(database: Database, clock = new ManualClock(AT), vault = new FakeVault(clock)) {
  const target = { away: false, accepts: false, forgot: new Set<string>() };
  const there = () => [...vault.principals, ...target.forgot];
  const answer = (): void => {
    if (target.away) throw new MayflyError('target-unavailable', 'away', 503, true);
  };
  const probe = async ({ principal, grantId }: ProbeSubject): Promise<ProbeResult> => {
    answer();
    const found = there().filter((one) => (principal ? one === principal : one.includes(grantId)));
    return { dead: found.length === 0 && !target.accepts, checked: `fake: ${found.length} login roles` };
  };
  /** As at a real target: what is quarantined does not log in any more; what is forgotten is removed as well. */
  const quarantined: string[] = [];
  const quarantine: TargetQuarantine = {
    targets: ['orders'],
    principals: async (_, grantId) => {
      answer();
      return there().filter((one) => one.includes(grantId));
    },
    quarantine: async (_, principal, forgotten) => {
      answer();
      quarantined.push(principal);
      if (forgotten) target.forgot.delete(principal);
      vault.principals.delete(principal);
    },
  };
  const settled: { until?: Date } = {};
  const killers: Killers = { revoker: vault, probe: { probe }, quarantine, settledUntil: () => settled.until };
  const policies = new CurrentPolicy(readPolicySet, anybodys);
  return {
    database,
    clock,
    vault,
    target,
    quarantine,
    quarantined,
    settled,
    killers,
    revoking: new Revoking({ database, clock, policies, killers, audience: 'mayfly' }),
  };
}
export type World = ReturnType<typeof revokerOn>;

/** A granted task whose token and one active lease really exist in the fake Vault. */
export async function live({ database, vault, clock }: World, changes: Partial<Capability> = {}, grantChanges: object = {}) {
  const spec = capability(changes);
  const { grant, credential, lease } = await granted(database, { spec, lease: false, ...grantChanges });
  const { taskId, tenant, id: grantId } = grant;
  const made = await vault.create({ grantId, taskId, tenant, policies: [spec.vaultPolicy], ttlSeconds: 36_000 });
  await amendGrant(database, grantId, 'granted', { sealedToken: made.sealed, tokenAccessor: made.accessor });
  const minted = await vault.mint({ leaseRef: lease.ref, capability: spec, ttlSeconds: 60, token: made.token });
  const [active] = await database.transaction('test', (tx) =>
    activateLeases(tx, 'issuer', [{ grant, credential, lease, minted, ttlSeconds: 60, at: clock.now() }]),
  );
  const settled = (await findGrantByTask(database, taskId))!;
  return { grant: settled, credential, lease: active!, token: made.token };
}

/** What an end of the task does to the ledger. */
export const end = ({ database, clock }: World, taskId: string): Promise<unknown> =>
  database.transaction('test', async (tx) =>
    endGrant(tx, (await lockGrantByTask(tx, taskId))!, { cause: 'task_ended', by: 'revoker', at: clock.now() }),
  );

/** How often each kind of fact was stated about the task. */
export async function told({ database }: World, taskId: string): Promise<Record<string, number>> {
  const count: Record<string, number> = {};
  for (const { kind } of await readTaskEntries(database, taskId)) count[kind] = (count[kind] ?? 0) + 1;
  return count;
}

export const REVOKED = 'dev.mayfly.credential.revoked.v1';
export const STUCK = 'dev.mayfly.credential.revocation-stuck.v1';
export const CLOSED = 'dev.mayfly.grant.closed.v1';

/** A delivery service on a real ledger and a fake Vault, with tasks that are ready to be fetched for. */
import { InvalidToken, ManualClock, type Capability, type LeaseRef, type TaskStart } from '@mayfly/domain';
import type { Credential, Grant, Lease } from '@mayfly/grant';
import { readPolicy, type Decider } from '@mayfly/policy';
import {
  activateLeases,
  amendGrant,
  announceTask,
  CurrentPolicy,
  QuotaWatch,
  findGrantByTask,
  TaskChanges,
  transitionLease,
  type Database,
} from '@mayfly/store';
import { createLogger } from '@mayfly/telemetry';
import { startWorker } from '@mayfly/worker';
import { anybodys } from '../../../libs/store/test/example.js';
import { AT, capability, granted, task } from '../../../libs/store/test/ledger.js';
import { FakeVault } from '../../../libs/vault/test/fake-vault.js';
import { Evaluating } from '../src/access/evaluating.js';
import { Delivering } from '../src/delivering.js';
import { WorkloadProof } from '../src/workload-proof.js';

export const AGENT = 'spiffe://example.org/agent/etl';
export const OTHER_AGENT = 'spiffe://example.org/agent/reporter';
const CONNECTION = { host: '127.0.0.1', port: 5432, database: 'orders' };

/** Runs after every decision, before it is used. */
export interface Hooks {
  afterDecision?: (() => Promise<unknown>) | undefined;
}

/** Opens one; close it when done. */
export function deliveryOn(database: Database, clock = new ManualClock(AT), vault = new FakeVault(clock)) {
  const hooks: Hooks = {};
  const policies = new CurrentPolicy((files) => {
    const { set, decider: real } = readPolicy(files);
    const decide: Decider['decide'] = async (question) => {
      const decision = await real.decide(question);
      await hooks.afterDecision?.();
      return decision;
    };
    return { set, decider: { decide } };
  }, anybodys);
  const quotas = new QuotaWatch(clock);
  const changes = new TaskChanges(database);
  const targets = { orders: { kind: 'postgres', connection: CONNECTION } } as const;
  const delivering = new Delivering({ database, vault, policies, quotas, targets, changes, clock });
  const evaluating = new Evaluating({ database, policies, clock });
  const logger = createLogger({ service: 'test', level: 'fatal' });
  const verifier = {
    verify: async (bearer: string) => {
      const id = { etl: AGENT, reporter: OTHER_AGENT }[bearer];
      if (!id) throw new InvalidToken();
      return { id, kind: 'spiffe', trustDomain: 'example.org', audience: 'mayfly', expiresAt: new Date(AT.getTime() + 60_000) } as const;
    },
    ready: async () => undefined,
  };
  const proof = new WorkloadProof({ verifier, publicUrl: 'http://mayfly.test', look: delivering.look, database, clock, logger });
  // What the revoker does, as far as delivery sees it.
  const reaper = startWorker({ name: 'reaper', everyMilliseconds: 20, logger, work: () => reap(database, vault) });
  return {
    database,
    clock,
    vault,
    hooks,
    policies,
    delivering,
    evaluating,
    proof,
    close: async () => {
      await reaper.stop();
      await changes.close();
    },
  };
}

async function reap(database: Database, vault: FakeVault): Promise<number> {
  const rows = await database.run<{ ref: LeaseRef; id: string | null; task: string }>(
    '',
    `select l.ref, l.vault_lease_id as id, g.task_id as task from ledger.lease l join ledger.task_grant g on g.id = l.grant_id
     where l.state = 'revoking' and l.cause = 'superseded'`,
  );
  for (const { ref, id, task: taskId } of rows) {
    await vault.revokeLease(id ?? '');
    await database.transaction('test', async (tx) => {
      await transitionLease(tx, ref, 'revoking', 'revoked', { confirmedAt: AT });
      await announceTask(tx, taskId);
    });
  }
  return 0;
}

export interface Ready {
  readonly grant: Grant;
  readonly credential: Credential;
  readonly lease: Lease;
}
type World = ReturnType<typeof deliveryOn>;

/** A granted task with its token, and one credential that is minted and put aside (`on-start`) or not there yet (`on-fetch`). */
export async function ready(
  { database, vault, clock }: World,
  start: Partial<TaskStart> = {},
  changes: Partial<Capability> = {},
): Promise<Ready> {
  const spec = capability(changes);
  const { grant, credential, lease } = await granted(database, { start: task(start), spec, lease: false });
  const { taskId, tenant, id: grantId } = grant;
  const made = await vault.create({ grantId, taskId, tenant, policies: [spec.vaultPolicy], ttlSeconds: 3600 });
  await amendGrant(database, grantId, 'granted', { sealedToken: made.sealed, tokenAccessor: made.accessor });
  const settled = (await findGrantByTask(database, taskId))!;
  if (spec.mint === 'on-fetch') {
    await transitionLease(database, lease.ref, 'minting', 'failed');
    return { grant: settled, credential, lease };
  }
  const minted = await vault.mint({ leaseRef: lease.ref, capability: spec, ttlSeconds: 60, token: made.token });
  await vault.keep(made.token, lease.ref, minted.material);
  const [active] = await database.transaction('test', (tx) =>
    activateLeases(tx, 'issuer', [{ grant: settled, credential, lease, minted, ttlSeconds: 60, at: clock.now() }]),
  );
  return { grant: settled, credential, lease: active! };
}

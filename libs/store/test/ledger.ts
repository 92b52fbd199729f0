/** A real PostgreSQL with the ledger's schema, and records to put into it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf, newGrantId, newLeaseRef, taskId, type Capability, type GrantId, type TaskStart } from '@mayfly/domain';
import type { Credential, Grant, Lease } from '@mayfly/grant';
// @ts-expect-error plain JavaScript without types
import { start } from '../../../deploy/local/servers/postgres.mjs';
// @ts-expect-error plain JavaScript without types
import { sweep } from '../../../deploy/local/servers/postgres-place.mjs';
import {
  findLease,
  findWholeGrants,
  insertCredentials,
  insertGrant,
  intendLease,
  lockGrant,
  migrate,
  openDatabase,
  transitionGrant,
  transitionLease,
  type Database,
} from '../src/index.js';

export interface Ledger {
  readonly database: Database;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a server of its own, so that tests never meet each other's rows. */
export async function startLedger(): Promise<Ledger> {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-ledger-'));
  const server = (await start({ home })) as { url: string; stop(): Promise<void> };
  const database = openDatabase({ url: server.url, applicationName: 'test', keepsPlans: true });
  const stop = async (): Promise<void> => {
    await database.close();
    await server.stop();
    rmSync(home, { recursive: true, force: true });
    (sweep as () => void)(); // data that had to lie outside the home
  };
  try {
    await migrate(database, fileURLToPath(new URL('../sql', import.meta.url)));
  } catch (error) {
    await stop();
    throw error;
  }
  return { database, url: server.url, stop };
}

export const AT = new Date('2026-01-01T00:00:00Z');

export const capability = (changes: Partial<Capability> = {}): Capability => ({
  name: 'orders-db.read',
  engine: 'database',
  shape: 'revocable',
  mint: 'on-start',
  mount: 'database',
  role: 'orders-read',
  vaultPolicy: 'cap-orders-db.read',
  dataClass: 'internal',
  access: 'read',
  maxTtlSeconds: 3600,
  maxFetches: 5,
  probe: true,
  onVaultDrift: 'alarm',
  ...((changes.engine ?? 'database') === 'database' && { target: 'orders' }),
  ...changes,
});

let counter = 0;
export const task = (changes: Partial<TaskStart> = {}): TaskStart => ({
  taskId: taskId(`task-${(counter += 1)}`),
  workflow: { name: 'nightly-etl' },
  agent: { id: 'spiffe://example.org/agent/etl' },
  intent: { purpose: 'test', plan: [] },
  credentials: [{ name: 'orders', capability: 'orders-db.read' }],
  risk: 0,
  ...changes,
});

/** A granted task with one permitted credential and, when asked, an active lease. */
export async function granted(
  database: Database,
  {
    start = task(),
    spec = capability(),
    lease = true,
    minter = 'issuer',
    ...changes
  }: { start?: TaskStart; spec?: Capability; lease?: boolean; minter?: Lease['minter'] } & Partial<Grant> = {},
): Promise<{ grant: Grant; credential: Credential; lease: Lease }> {
  const id = newGrantId();
  return database.transaction('test', async (tx) => {
    await insertGrant(tx, {
      id,
      taskId: start.taskId,
      tenant: 'default',
      source: 'urn:example:orchestrator',
      request: start,
      intentDigest: digestOf(start.intent),
      agentId: start.agent.id,
      risk: 0,
      policyDigest: 'sha256:one',
      startEventId: 'start',
      openedAt: AT,
      deadline: new Date(AT.getTime() + 3_600_000),
      ...changes,
      state: 'requested',
    });
    const credential: Credential = {
      grantId: id,
      name: 'orders',
      capability: spec.name,
      spec,
      permitted: true,
      decisionId: 'd1',
      policyDigest: 'sha256:one',
      reasons: ['policy-permits'],
      policies: ['p1'],
      fetches: 0,
    };
    await insertCredentials(tx, [credential]);
    await transitionGrant(tx, id, 'requested', 'granted');
    const ref = newLeaseRef();
    await intendLease(tx, { ref, grantId: id, name: 'orders', minter, intendedAt: AT });
    if (lease) await transitionLease(tx, ref, 'minting', 'active', { issuedAt: AT, vaultLeaseId: 'lease-1', principal: 'u1' });
    const grant = await lockGrant(tx, id);
    const written = await findLease(tx, ref);
    if (!grant || !written) throw new Error('not written');
    return { grant, credential, lease: written };
  });
}

/** Accessors of a grant's tokens that were replaced and are not proven gone. */
export const retiredTokens = async (database: Database, id: GrantId): Promise<readonly string[]> =>
  (await findWholeGrants(database, [id])).get(id)?.retiredTokens ?? [];

/** Whether somebody holds, or still has to do, a grant's minting. */
export const beingMinted = async (database: Database, id: GrantId): Promise<boolean> =>
  (await findWholeGrants(database, [id])).get(id)?.beingMinted ?? false;

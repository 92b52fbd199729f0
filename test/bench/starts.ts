/** Task starts, ours and bare: what a start costs Vault, and how it is seen that a task's grant can be delivered. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, BareVault } from './bare-vault.ts';
import type { BenchStack } from './bench-stack.ts';
import { inFlight, rateOf } from './side-by-side.ts';

/** Calls of Vault in flight: what a service of ours has at most (`VAULT_MAX_IN_FLIGHT`). */
export const AT_ONCE = 32;
/** The same life as our tasks of this capability get. */
const LIFE_SECONDS = 3_600;
const PATIENCE_MS = 120_000;
const POLL_MS = 50;

/**
 * What a task asks for, which decides the calls of Vault that its start makes:
 *
 * - `token`: its credential is minted when it is fetched. Its token is made and sealed: `auth/token/create/mayfly-task`, `transit/encrypt`.
 * - `login`: a database login is made at the start. The token as above; then with it `database/creds`, `sys/leases/renew` (the engine takes no
 *   wish for a life), `cubbyhole` (where the login waits for its fetch).
 */
export type Shape = 'token' | 'login';
export const CAPABILITY: Readonly<Record<Shape, string>> = { token: 'reports.kv', login: 'orders-db.read' };

const DELIVERABLE: Readonly<Record<Shape, string>> = {
  token: `select count(*)::int as count from ledger.task_grant
    where task_id >= $1 and task_id <= $2 and state = 'granted' and sealed_token is not null`,
  login: `select count(*)::int as count from ledger.task_grant g join ledger.lease l on l.grant_id = g.id
    where g.task_id >= $1 and g.task_id <= $2 and g.state = 'granted' and l.state = 'active'`,
};

/** Ids that one range of the ledger's index holds. */
export const taskIds = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(7, '0')}`);

/**
 * Sends all starts and waits until every one can be delivered.
 * @returns starts a second, from the first event's sending
 * @throws Error when some never come
 */
export function startOurs(stack: BenchStack, shape: Shape, ids: readonly string[]): Promise<number> {
  const tenant = stack.tenants[0]!;
  return rateOf(ids.length, async () => {
    const sent = stack.orchestrator.start(
      ids.map((id) => ({ id, tenant })),
      CAPABILITY[shape],
    );
    const end = Date.now() + PATIENCE_MS;
    for (let ready = 0; ready < ids.length;) {
      if (Date.now() > end) throw new Error(`only ${ready} of ${ids.length} starts became deliverable within ${PATIENCE_MS / 1000} s`);
      await pause(POLL_MS);
      const [row] = await stack.ledger.run<{ count: number }>('', DELIVERABLE[shape], [ids[0], ids.at(-1)]);
      ready = row?.count ?? 0;
    }
    await sent;
  });
}

/** Waits until everything that the starts have left to do is done: events published, facts chained. What comes next is not to be measured with it. */
export async function settled(stack: BenchStack): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const [row] = await stack.ledger.run<{ left: number }>(
      '',
      'select (select count(*) from ledger.outbox)::int + (select count(*) from evidence.intake)::int as left',
    );
    if (row?.left === 0) return;
    if (Date.now() > end) throw new Error(`${row?.left} events and facts were not published within ${PATIENCE_MS / 1000} s`);
    await pause(POLL_MS);
  }
}

/** What a bare start leaves behind. */
export interface Started {
  readonly token: string;
  readonly accessor: string;
  readonly lease?: string;
}

/** The same calls for as many tasks, with nothing in between; starts a second. What is left behind is to be ended, see {@link endBare}. */
export const startBare = (stack: BenchStack, shape: Shape, ids: readonly string[], started: Started[]): Promise<number> =>
  rateOf(ids.length, () => makeBare(stack, shape, ids, started));

/** The same, for who goes on with what is left behind. */
export async function makeBare(stack: BenchStack, shape: Shape, ids: readonly string[], started: Started[] = []): Promise<Started[]> {
  const vault = await stack.bareVault('issuer', AT_ONCE);
  try {
    await inFlight(ids, AT_ONCE, async (id) => started.push(await callsOfOneStart(vault, shape, id)));
    return started;
  } finally {
    await vault.close();
  }
}

async function callsOfOneStart(vault: BareVault, shape: Shape, id: string): Promise<Started> {
  const { auth } = await vault.write('auth/token/create/mayfly-task', {
    policies: ['cap-task', `cap-${CAPABILITY[shape]}`],
    ttl: `${LIFE_SECONDS}s`,
    explicit_max_ttl: `${LIFE_SECONDS}s`,
    renewable: false,
    no_default_policy: true,
    type: 'service',
    display_name: id,
    meta: { grantId: 'none', taskId: id, tenant: 'bare' },
  });
  const { client_token: token, accessor } = auth as { client_token: string; accessor: string };
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  await vault.write('transit/encrypt/mayfly-task-token', { plaintext: base64(token), context: base64(id) });
  if (shape === 'token') return { token, accessor };
  const login: Answer = await vault.read('database/creds/orders-read', token);
  const lease = String(login['lease_id']);
  await vault.write('sys/leases/renew', { lease_id: lease, increment: LIFE_SECONDS - 1 }, token);
  await vault.write(`cubbyhole/${id}`, { material: login['data'] as object }, token);
  return { token, accessor, lease };
}

/** Leases first and waited for: what Vault would do in the background would be measured with what comes next. */
export async function endBare(stack: BenchStack, started: readonly Started[]): Promise<void> {
  const vault = await stack.bareVault('revoker', AT_ONCE);
  await inFlight(started, AT_ONCE, async ({ accessor, lease }) => {
    if (lease) await vault.write('sys/leases/revoke', { lease_id: lease, sync: true });
    await vault.write('auth/token/revoke-accessor', { accessor });
  });
  await vault.close();
}

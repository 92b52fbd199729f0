/** Task ends, ours and bare: what a death and its proof cost Vault, and how it is seen that all is proven. */
import { setTimeout as pause } from 'node:timers/promises';
import type { BareVault } from './bare-vault.ts';
import type { BenchStack } from './bench-stack.ts';
import { inFlight, rateOf } from './side-by-side.ts';
import { AT_ONCE, type Started } from './starts.ts';

const PATIENCE_MS = 600_000;
const POLL_MS = 100;

/**
 * Ends all of these tasks at once and waits until the ledger says of every one that its token and all its credentials are proven dead, which
 * it never says before Vault and the target have said so.
 * @returns ends a second, from the first event's sending
 * @throws Error when some never are
 */
export function endOurs(stack: BenchStack, ids: readonly string[]): Promise<number> {
  const tenant = stack.tenants[0]!;
  return rateOf(ids.length, async () => {
    const sent = stack.orchestrator.end(ids.map((id) => ({ id, tenant })));
    await allClosed(stack, ids);
    await sent;
  });
}

/** Waits until the grants of all these tasks are closed. */
export async function allClosed(stack: BenchStack, ids: readonly string[]): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (let closed = 0; closed < ids.length;) {
    if (Date.now() > end) throw new Error(`only ${closed} of ${ids.length} ends were proven within ${PATIENCE_MS / 1000} s`);
    await pause(POLL_MS);
    const [row] = await stack.ledger.run<{ count: number }>(
      '',
      `select count(*)::int as count from ledger.task_grant where task_id >= $1 and task_id <= $2 and state = 'closed'`,
      [ids[0], ids.at(-1)],
    );
    closed = row?.count ?? 0;
  }
}

/** The same revokes and look-ups with nothing in between. @returns ends a second */
export async function endBare(stack: BenchStack, started: readonly Started[]): Promise<number> {
  const vault = await stack.bareVault('revoker', AT_ONCE);
  try {
    return await rateOf(started.length, () => inFlight(started, AT_ONCE, (one) => callsOfOneEnd(vault, one)));
  } finally {
    await vault.close();
  }
}

async function callsOfOneEnd(vault: BareVault, { accessor, lease }: Started): Promise<void> {
  if (lease) await vault.write('sys/leases/revoke', { lease_id: lease, sync: true });
  await vault.write('auth/token/revoke-accessor', { accessor });
  const gone = [await vault.isGone('auth/token/lookup-accessor', { accessor }, 'invalid accessor')];
  if (lease) gone.push(await vault.isGone('sys/leases/lookup', { lease_id: lease }, 'invalid lease'));
  if (gone.includes(false)) throw new Error('something lives that was revoked');
}

/**
 * `mayfly revocations`
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { seconds } from '../durations.js';
import { followOrder, orderText, type Order } from '../follow-order.js';
import { plain, table } from '../show.js';
import { answers, verb } from '../verb.js';

interface Listed extends Order {
  readonly selector: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly operator: string;
  readonly at: string;
}

/** Lists kill switches, or watches one until all is dark. */
export function addRevocations(program: Command, cli: Cli): void {
  verb(program, 'revocations [id]', 'list kill switches, newest first, or watch one until all is dark', [
    'revocations',
    'revocations oabcdefghijklmnopqrst --wait 5m',
  ])
    .option('--wait <time>', 'watch one for so long', seconds, 60)
    .option('--as <operator>', 'example operator to ask as')
    .action(
      answers(cli, async (id: string | undefined, { wait, as }: { readonly wait: number; readonly as?: string }) => {
        const operators = await connectConsole(cli, 'viewer', as);
        if (id !== undefined) {
          const order = await followOrder(cli, operators, id, wait);
          return { data: order, text: orderText(order), failed: order.state !== 'dark' };
        }
        const { revocations } = await operators.get<{ revocations: readonly Listed[] }>('/v1/revocations');
        return { data: { revocations }, text: revocations.length === 0 ? 'no kill switch was used yet' : listText(revocations) };
      }),
    );
}

const listText = (orders: readonly Listed[]): string =>
  table(
    ['id', 'at (UTC)', 'whom', 'state', 'ended', 'dead', 'access ended', 'open', 'stuck', 'seconds', 'by', 'why'],
    orders.map(({ id, at, selector, state, ended, leases, secondsToDark, operator, reason }) =>
      [
        id,
        at.slice(0, 19).replace('T', ' '),
        Object.entries(selector).flat().join(' '),
        state,
        String(ended),
        String(leases.dead),
        String(leases.accessEnded),
        String(leases.open),
        String(leases.stuck),
        secondsToDark === undefined ? '-' : String(secondsToDark),
        operator,
        reason,
      ].map(plain),
    ),
  );

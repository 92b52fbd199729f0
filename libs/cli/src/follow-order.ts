/**
 * Watching a kill switch until all is dark.
 * @module
 */
import type { Cli } from './cli.js';
import type { ConsoleClient } from './console-client.js';
import { clockTime, plain } from './show.js';

/** A kill switch, as the operators' API gives it. */
export interface Order {
  readonly id: string;
  readonly state: 'ending' | 'ended' | 'dark';
  readonly ended: number;
  readonly endingBefore: number;
  readonly leases: { readonly all: number; readonly dead: number; readonly open: number; readonly stuck: number };
  readonly problems: readonly {
    readonly capability: string;
    readonly shape: string;
    readonly state: string;
    readonly problem?: string;
    readonly leases: number;
    readonly expiresAt?: string;
  }[];
  readonly secondsToDark?: number;
}

const LOOK_MILLISECONDS = 250;

/** Looks until the last credential is confirmed dead, or the time is over; gives what was seen last. */
export async function followOrder(cli: Cli, operators: ConsoleClient, id: string, waitSeconds: number): Promise<Order> {
  const until = Date.now() + waitSeconds * 1000;
  for (;;) {
    const order = await operators.get<Order>(`/v1/revocations/${id}`);
    if (order.state === 'dark' || Date.now() >= until) {
      if (cli.interactive) cli.err('\r\u001b[K');
      return order;
    }
    const { dead, all, stuck } = order.leases;
    if (cli.interactive) cli.err(`\r${`${dead} of ${all} credentials confirmed dead${stuck > 0 ? `, ${stuck} stuck` : ''}`.padEnd(60)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
  }
}

/** What has become of it, for people. */
export function orderText({ id, state, leases, problems, secondsToDark }: Order): string {
  if (state === 'dark') return `dark after ${secondsToDark ?? 0} s: ${leases.dead} credentials confirmed dead`;
  const rest = problems.map(
    ({ capability, shape, problem, leases: count, state: at, expiresAt }) =>
      `  ${count} of ${plain(capability)} ${at}${problem === undefined ? '' : ` (${plain(problem)})`}${
        expiresAt === undefined ? '' : `, until ${clockTime(expiresAt).slice(0, 8)} UTC at the latest`
      }${shape === 'expiry-only' ? '; nobody can revoke these earlier' : ''}`,
  );
  return [
    `not dark yet: ${leases.dead} of ${leases.all} credentials confirmed dead`,
    ...rest,
    `go on watching: npx mayfly revocations ${id}`,
  ].join('\n');
}

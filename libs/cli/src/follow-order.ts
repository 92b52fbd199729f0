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
  readonly leases: {
    readonly all: number;
    /** Proven. */
    readonly dead: number;
    /** Not revocable: access ended, no more. */
    readonly accessEnded: number;
    readonly open: number;
    readonly stuck: number;
  };
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

/** Looks until the last credential is over, or the time is over; gives what was seen last. */
export async function followOrder(cli: Cli, operators: ConsoleClient, id: string, waitSeconds: number): Promise<Order> {
  const until = Date.now() + waitSeconds * 1000;
  for (;;) {
    const order = await operators.get<Order>(`/v1/revocations/${id}`);
    if (order.state === 'dark' || Date.now() >= until) {
      if (cli.interactive) cli.err('\r\u001b[K');
      return order;
    }
    const { stuck } = order.leases;
    if (cli.interactive) cli.err(`\r${`${overText(order.leases)}${stuck > 0 ? `, ${stuck} stuck` : ''}`.padEnd(78)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
  }
}

/** How much of it is over, and in which way. */
const overText = ({ all, dead, accessEnded }: Order['leases']): string =>
  `${dead} of ${all} credentials confirmed dead${accessEnded > 0 ? `, access ended to ${accessEnded} that cannot be revoked` : ''}`;

/** What has become of it, for people. Dark means that nothing is open: what cannot be revoked is said apart. */
export function orderText({ id, state, leases, problems, secondsToDark }: Order): string {
  if (state === 'dark') {
    const known = leases.accessEnded > 0 ? '; whoever copied those has them still: rotate what they open' : '';
    return `dark after ${secondsToDark ?? 0} s: ${overText(leases)}${known}`;
  }
  const rest = problems.map(
    ({ capability, shape, problem, leases: count, state: at, expiresAt }) =>
      `  ${count} of ${plain(capability)} ${at}${problem === undefined ? '' : ` (${plain(problem)})`}${
        expiresAt === undefined ? '' : `, until ${clockTime(expiresAt).slice(0, 8)} UTC at the latest`
      }${shape === 'expiry-only' ? '; nobody can revoke these earlier' : ''}`,
  );
  return [`not dark yet: ${overText(leases)}`, ...rest, `go on watching: npx mayfly revocations ${id}`].join('\n');
}

/** A fetch by task id against a bare read with the task's token. */
import { Pool } from 'undici';
import type { BenchStack } from '../bench-stack.ts';
import { perPiece, using } from '../cpu.ts';
import type { Row } from '../row.ts';
import { durationsOf, inFlight, quantile, rateOf, ratiosOf, sideBySide } from '../side-by-side.ts';
import { AT_ONCE, endBare, makeBare, settled, startOurs, taskIds } from '../starts.ts';

const PATH = 'kv/data/reports/daily';

/** One round of one side. */
interface Round {
  /** Milliseconds, one at a time. */
  readonly p50: number;
  /** A second, 32 at a time. */
  readonly rate: number;
}

const row: Row = {
  id: 'B3',
  what: 'fetch by task id (proof, decision, evidence, secret)',
  against: "a bare OpenBao read of the same object with the task's token",
  reach: 'p50 ≤ 2.5 ×, rate ≥ 0.4',
  async measure(bench) {
    const stack = await bench.stack();
    const { quick, rounds, seed, say } = bench;
    const [alone, crowd] = quick ? [40, 160] : [300, 1_200];
    const prefix = (part: string): string => `b3-${seed}-${part}`;
    const fetches = new Fetches(stack, await stack.world.agentToken(stack.tenants[0]!.agent));
    const bare = await stack.bareVault('issuer', AT_ONCE);
    const used: Record<'ours' | 'bare', Record<string, number>> = { ours: {}, bare: {} };
    try {
      const ours = async (part: string): Promise<Round> => {
        const ids = taskIds(prefix(part), alone + crowd);
        await startOurs(stack, 'token', ids);
        await settled(stack);
        return using(stack, used.ours, () => measured(ids, alone, (id) => fetches.fetch(id)));
      };
      const theirs = async (part: string): Promise<Round> => {
        const started = await makeBare(stack, 'token', taskIds(prefix(part), alone + crowd));
        try {
          return await using(stack, used.bare, () => measured(started, alone, ({ token }) => bare.read(PATH, token)));
        } finally {
          await endBare(stack, started);
        }
      };
      await ours('warm');
      await theirs('warm');
      used.ours = {};
      used.bare = {};
      const all = await sideBySide(
        rounds,
        async (round) => {
          const result = await ours(String(round));
          await settled(stack);
          return result;
        },
        (round) => theirs(String(round)),
      );
      const of = (part: keyof Round) => ({ ours: all.ours.map((each) => each[part]), theirs: all.theirs.map((each) => each[part]) });
      const [p50, rate] = [of('p50'), of('rate')];
      say(
        `rates ${rate.ours.map(Math.round).join(' ')} of ${rate.theirs.map(Math.round).join(' ')}, p50 ${ratiosOf(p50)
          .map((each) => each.toFixed(1))
          .join(' ')} ×`,
      );
      return {
        figures: [
          { name: 'ours, p50 of one at a time', unit: 'ms', rounds: p50.ours },
          { name: 'bare, p50 of one at a time', unit: 'ms', rounds: p50.theirs },
          { name: `ours, ${AT_ONCE} at a time`, unit: 'fetches/s', rounds: rate.ours },
          { name: `bare, ${AT_ONCE} at a time`, unit: 'reads/s', rounds: rate.theirs },
        ],
        ratios: [
          { name: 'p50 of a fetch', rounds: ratiosOf(p50), goal: { atMost: 2.5 } },
          { name: 'rate of fetches', rounds: ratiosOf(rate), goal: { atLeast: 0.4 } },
        ],
        notes: [
          `${alone} fetches one at a time, then ${crowd} with ${AT_ONCE} in flight; each of another task and its first. One JWT-SVID serves them all: its signature is verified once and remembered, its claims and its times are checked each time.`,
          'A fetch makes two calls of Vault: it opens the sealed task token (transit/decrypt), and reads with it. It makes two transactions durable, one after the other: the intent, and what was minted with its delivery.',
          `CPU of a fetch: ours ${perPiece(used.ours, rounds * (alone + crowd))}; of a bare read ${perPiece(used.bare, rounds * (alone + crowd))}. load is who asks.`,
        ],
      };
    } finally {
      await Promise.all([bare.close(), fetches.close()]);
    }
  },
};
export default row;

async function measured<T>(items: readonly T[], alone: number, work: (item: T) => Promise<unknown>): Promise<Round> {
  const p50 = quantile(0.5, await durationsOf(items.slice(0, alone), 1, work));
  const crowd = items.slice(alone);
  return { p50, rate: await rateOf(crowd.length, () => inFlight(crowd, AT_ONCE, work)) };
}

class Fetches {
  readonly #pool: Pool;
  readonly #token: string;

  constructor({ dev }: BenchStack, token: string) {
    this.#pool = new Pool(dev.delivery.url, { connections: AT_ONCE, pipelining: 1 });
    this.#token = token;
  }

  async fetch(id: string): Promise<void> {
    const { statusCode, body } = await this.#pool.request({
      method: 'GET',
      path: `/v1/tasks/${id}/secrets/secret`,
      headers: { authorization: `Bearer ${this.#token}` },
    });
    const { data } = (await body.json()) as { data?: unknown };
    if (statusCode !== 200 || !data) throw new Error(`a fetch was answered with ${statusCode}`);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

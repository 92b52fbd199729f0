/** Task starts against the same written by hand. */
import { PARTITIONS, runByHand } from '../by-hand/by-hand.ts';
import type { Row } from '../row.ts';
import { ratiosOf, sideBySide } from '../side-by-side.ts';
import { settled, startOurs, taskIds } from '../starts.ts';

const row: Row = {
  id: 'B2',
  what: 'task.started → grant deliverable, everything on',
  against: "by hand: Nest's own Kafka transport, node-vault, one INSERT an event",
  reach: '≥ 3 × its rate',
  async measure(bench) {
    const stack = await bench.stack();
    const { quick, rounds, seed, say } = bench;
    const count = quick ? 120 : 1_200;
    const ids = (part: string, many = count): string[] => taskIds(`b2-${seed}-${part}`, many);
    const asItIs = await runByHand(stack, 1);
    const tuned = await runByHand(stack, PARTITIONS);
    try {
      await startOurs(stack, 'token', ids('warm', count >> 2));
      for (const [name, hand] of Object.entries({ asItIs, tuned })) await hand.start(ids(`warm-${name}`, count >> 2));
      const measured = await sideBySide<readonly number[]>(
        rounds,
        async (round) => {
          const rate = await startOurs(stack, 'token', ids(String(round)));
          await settled(stack);
          return [rate];
        },
        async (round) => [await asItIs.start(ids(`${round}-as-it-is`)), await tuned.start(ids(`${round}-tuned`))],
      );
      const ours = measured.ours.map(([rate]) => rate!);
      const theirs = [0, 1].map((which) => measured.theirs.map((rates) => rates[which]!));
      say(
        `ours ${ours.map(Math.round).join(' ')}, by hand ${theirs.map((rates) => rates.map(Math.round).join(' ')).join(' and ')} starts/s`,
      );
      const names = ['by hand', `by hand, ${PARTITIONS} partitions side by side`];
      return {
        figures: [
          { name: 'ours', unit: 'starts/s', rounds: ours },
          ...names.map((name, which) => ({ name, unit: 'starts/s', rounds: theirs[which]! })),
        ],
        ratios: names.map((name, which) => ({
          name: `rate of starts, over ${name}`,
          rounds: ratiosOf({ ours, theirs: theirs[which]! }),
          goal: { atLeast: 3 },
        })),
        notes: [
          `Bursts of ${count} starts whose credential is minted when it is fetched (the fewest calls of Vault, where what is ours weighs most).`,
          'By hand (test/bench/by-hand): the same two calls of Vault (ours seals tokens that are there at the same moment in one), one INSERT, and none of: policy, evidence, outbox, traces, quotas, once only. Nest and kafkajs work on one partition at a time where nothing is said; the second works on all at the same time.',
        ],
      };
    } finally {
      await Promise.all([asItIs.stop(), tuned.stop()]);
    }
  },
};
export default row;

/** Task starts against the same written by hand. */
import { runByHand } from '../by-hand/by-hand.ts';
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
    const count = quick ? 300 : 1_500;
    const ids = (part: string, many = count): string[] => taskIds(`b2-${seed}-${part}`, many);
    const byHand = await runByHand(stack);
    try {
      await startOurs(stack, 'token', ids('warm', count >> 2));
      await byHand.start(ids('warm', count >> 2));
      const measured = await sideBySide(
        rounds,
        async (round) => {
          const rate = await startOurs(stack, 'token', ids(String(round)));
          await settled(stack);
          return rate;
        },
        (round) => byHand.start(ids(String(round))),
      );
      say(`ours ${measured.ours.map(Math.round).join(' ')}, by hand ${measured.theirs.map(Math.round).join(' ')} starts/s`);
      return {
        figures: [
          { name: 'ours', unit: 'starts/s', rounds: measured.ours },
          { name: 'by hand', unit: 'starts/s', rounds: measured.theirs },
        ],
        ratios: [{ name: 'rate of starts', rounds: ratiosOf(measured), goal: { atLeast: 3 } }],
        notes: [
          `Bursts of ${count} starts whose credential is minted when it is fetched (the fewest calls of Vault, where what is ours weighs most).`,
          'By hand (test/bench/by-hand): the same two calls of Vault, one INSERT, as many partitions side by side as there are, and none of: policy, evidence, outbox, traces, quotas, once only.',
        ],
      };
    } finally {
      await byHand.stop();
    }
  },
};
export default row;

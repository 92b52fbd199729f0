/** Very many ends at once against the same calls of Vault made bare. */
import { cpuOf, usedBetween } from '../cpu.ts';
import { endBare, endOurs } from '../ends.ts';
import type { Figure, Ratio, Row } from '../row.ts';
import { ratiosOf, sideBySide } from '../side-by-side.ts';
import { makeBare, startOurs, taskIds, type Shape } from '../starts.ts';

/** Ends a round, all sent at once. Logins are made by the target at some twenty a second, and ten thousand of them would take the day. */
const COUNTS: Readonly<Record<Shape, { full: number; quick: number }>> = {
  token: { full: 10_000, quick: 150 },
  login: { full: 1_000, quick: 30 },
};

const row: Row = {
  id: 'B4',
  what: 'end of 10,000 tasks at once → all proven dead',
  whatQuick: 'end of 150 tasks at once (30 with a login) → all proven dead',
  against: 'the same revokes and look-ups made bare, 32 in flight',
  reach: '≥ 0.6 of its rate',
  async measure(bench) {
    const stack = await bench.stack();
    const { quick, rounds, seed, say } = bench;
    const figures: Figure[] = [];
    const ratios: Ratio[] = [];
    for (const shape of ['token', 'login'] as const) {
      const count = COUNTS[shape][quick ? 'quick' : 'full'];
      const cpu: Record<string, number>[] = [];
      const ours = async (part: string, many = count): Promise<number> => {
        const ids = taskIds(`b4-${seed}-${shape}-${part}`, many);
        await startOurs(stack, shape, ids);
        const before = await cpuOf(stack.processes);
        const rate = await endOurs(stack, ids);
        const used = usedBetween(before, await cpuOf(stack.processes));
        cpu.push(Object.fromEntries(Object.entries(used).map(([name, seconds]) => [name, (seconds * 1_000) / many])));
        return rate;
      };
      const bare = async (part: string, many = count): Promise<number> =>
        endBare(stack, await makeBare(stack, shape, taskIds(`b4-${seed}-${shape}-bare-${part}`, many)));
      await ours('warm', count >> 2);
      await bare('warm', count >> 2);
      cpu.length = 0;
      const measured = await sideBySide(
        rounds,
        (round) => ours(String(round)),
        (round) => bare(String(round)),
      );
      say(`${shape}: ours ${measured.ours.map(Math.round).join(' ')}, bare ${measured.theirs.map(Math.round).join(' ')} ends/s`);
      figures.push(
        { name: `${shape}: ours`, unit: 'ends/s', rounds: measured.ours },
        { name: `${shape}: bare calls`, unit: 'ends/s', rounds: measured.theirs },
        ...cpuFigures(shape, cpu),
      );
      ratios.push({ name: `rate of ends, ${shape}`, rounds: ratiosOf(measured), goal: { atLeast: 0.6 } });
    }
    return {
      figures,
      ratios,
      notes: [
        `${COUNTS.token[quick ? 'quick' : 'full']} ends (token) and ${COUNTS.login[quick ? 'quick' : 'full']} (login) sent at once by one orchestrator; the clock runs from the first event's sending until the last grant is closed in the ledger, which is after all proof.`,
        'token: the task has its task token only (2 calls: revoke-accessor, lookup-accessor). login: and a database login (4 calls: leases/revoke with sync, leases/lookup); ours asks the target itself as well, bare does not.',
      ],
    };
  },
};
export default row;

/** Where the time on processors goes, a task's end. What takes less than a twentieth of a millisecond is left out. */
function cpuFigures(shape: Shape, rounds: readonly Readonly<Record<string, number>>[]): Figure[] {
  const names = [...new Set(rounds.flatMap((round) => Object.keys(round)))].sort();
  return names
    .map((name) => ({ name: `${shape}: CPU of ${name}`, unit: 'ms/end', rounds: rounds.map((round) => round[name] ?? 0) }))
    .filter(({ rounds: values }) => Math.max(...values) >= 0.05);
}

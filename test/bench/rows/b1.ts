/** Task starts against the same calls of Vault made bare. */
import { perPiece, using } from '../cpu.ts';
import type { Figure, Ratio, Row } from '../row.ts';
import { ratiosOf, sideBySide } from '../side-by-side.ts';
import { endBare, makeBare, settled, startBare, startOurs, taskIds, type Shape, type Started } from '../starts.ts';

/** Starts a round, all sent at once. */
const COUNTS: Readonly<Record<Shape, { full: number; quick: number }>> = {
  token: { full: 2_000, quick: 300 },
  login: { full: 250, quick: 40 },
};

/** Before it is measured, both sides alike: code that has just started runs slower. */
const WARM: typeof COUNTS = { token: { full: 600, quick: 300 }, login: { full: 40, quick: 20 } };

const row: Row = {
  id: 'B1',
  what: 'task.started → grant deliverable, everything on',
  against: 'the same Vault calls made bare one by one, 32 in flight; ours seals tokens in batches',
  reach: '≥ 0.5 of its rate; aim 0.8',
  async measure(bench) {
    const stack = await bench.stack();
    const { quick, rounds, seed, say } = bench;
    const figures: Figure[] = [];
    const ratios: Ratio[] = [];
    const costs: string[] = [];
    for (const shape of ['token', 'login'] as const) {
      const count = COUNTS[shape][quick ? 'quick' : 'full'];
      const ids = (part: string, many = count): string[] => taskIds(`b1-${seed}-${shape}-${part}`, many);
      const through: number[] = [];
      const used = { ours: {}, bare: {} };
      const warm = ids('warm', WARM[shape][quick ? 'quick' : 'full']);
      await startOurs(stack, shape, warm);
      await settled(stack);
      await endBare(stack, await makeBare(stack, shape, warm));
      const measured = await sideBySide(
        rounds,
        (round) =>
          using(stack, used.ours, async () => {
            const startedAt = performance.now();
            const rate = await startOurs(stack, shape, ids(String(round)));
            await settled(stack);
            through.push((count * 1_000) / (performance.now() - startedAt));
            return rate;
          }),
        async (round) => {
          const started: Started[] = [];
          const rate = await using(stack, used.bare, () => startBare(stack, shape, ids(String(round)), started));
          await endBare(stack, started);
          return rate;
        },
      );
      say(`${shape}: ours ${measured.ours.map(Math.round).join(' ')}, bare ${measured.theirs.map(Math.round).join(' ')} starts/s`);
      figures.push(
        { name: `${shape}: ours`, unit: 'starts/s', rounds: measured.ours },
        { name: `${shape}: ours, until every event is published and every fact chained`, unit: 'starts/s', rounds: through },
        { name: `${shape}: bare calls`, unit: 'starts/s', rounds: measured.theirs },
      );
      costs.push(
        `CPU of a start, ${shape}: ours ${perPiece(used.ours, rounds * count)}; bare ${perPiece(used.bare, rounds * count)}. load is who sends and waits.`,
      );
      ratios.push({ name: `rate of starts, ${shape}`, rounds: ratiosOf(measured), goal: { atLeast: 0.5 }, aim: 0.8 });
    }
    return {
      figures,
      ratios,
      notes: [
        `Bursts of ${COUNTS.token[quick ? 'quick' : 'full']} (token) and ${COUNTS.login[quick ? 'quick' : 'full']} (login) starts sent at once by one orchestrator; the clock runs from the first event's sending until the ledger can deliver the last.`,
        'token: the credential is minted when it is fetched, so that a start makes the task token and seals it (2 calls: token/create by role, transit/encrypt). Ours seals tokens that are there at the same moment in one call; the bare side makes each call by itself.',
        'login: a database login is minted at the start too (5 calls: and database/creds, leases/renew, cubbyhole, with the task token).',
        ...costs,
      ],
    };
  },
};
export default row;

/** What it costs to wait. */
import { setTimeout as pause } from 'node:timers/promises';
import { AuditLog, sum } from '../audit-log.ts';
import { cpuOf, usedBetween } from '../cpu.ts';
import type { Row } from '../row.ts';
import { startOurs, taskIds } from '../starts.ts';

const LIVE = { full: 1_000, quick: 100 } as const;
const IDLE_SECONDS = { full: 60, quick: 6 } as const;
/** Until what the starts have left to do is done: their events are published, their evidence chained, their walks walked. */
const SETTLE_SECONDS = { full: 40, quick: 12 } as const;

const row: Row = {
  id: 'B10',
  what: 'idle for 60 s with 1,000 live grants',
  whatQuick: 'idle for 6 s with 100 live grants and those of the rows before',
  against: 'nothing',
  reach: 'all services together ≤ 5 % of one core; 0 Vault calls but health',
  async measure(bench) {
    const size = bench.quick ? 'quick' : 'full';
    const stack = await bench.ownStack();
    // Servers have no port of this kind.
    const services = [...stack.processes.values()].filter(({ port }) => port !== undefined).map(({ name }) => name);
    const ofServices = (part: Readonly<Record<string, number>>): number => services.reduce((all, name) => all + (part[name] ?? 0), 0);
    await startOurs(stack, 'token', taskIds(`b10-${bench.seed}-token`, LIVE[size] / 2));
    await startOurs(stack, 'login', taskIds(`b10-${bench.seed}-login`, LIVE[size] / 2));
    await pause(SETTLE_SECONDS[size] * 1_000, undefined, { signal: bench.signal });
    const audit = new AuditLog(stack);
    const parts: Record<string, number>[] = [];
    const calls: Record<string, number>[] = [];
    for (let round = 0; round < bench.rounds; round += 1) {
      const [before, startedAt] = [await cpuOf(stack.processes), performance.now()];
      audit.calls();
      await pause(IDLE_SECONDS[size] * 1_000, undefined, { signal: bench.signal });
      const used = usedBetween(before, await cpuOf(stack.processes));
      const seconds = (performance.now() - startedAt) / 1_000;
      parts.push(Object.fromEntries(Object.entries(used).map(([name, each]) => [name, (each * 100) / seconds])));
      calls.push(audit.calls());
      const told = Object.entries(calls.at(-1)!).map(([what, count]) => `${what} ${count}`);
      bench.say(`services ${ofServices(parts.at(-1)!).toFixed(2)} % of one core; Vault: ${told.join(', ') || 'no call'}`);
    }
    const names = [...new Set(parts.flatMap((part) => Object.keys(part)))];
    return {
      figures: names.map((name) => ({ name: `CPU of ${name}`, unit: '% of a core', rounds: parts.map((part) => part[name] ?? 0) })),
      ratios: [
        { name: 'CPU of all services, % of one core', rounds: parts.map(ofServices), goal: { atMost: 5 } },
        { name: 'calls of Vault in the window', rounds: calls.map(sum), goal: { atMost: 0 }, inEveryRound: true },
      ],
      notes: [
        `${await stack.live()} live grants, ${bench.quick ? 'those that rows before have left among them, quick' : 'half of them with a live database login'}; each round is ${IDLE_SECONDS[size]} s in which nobody asks for anything.`,
        'Calls are those that Vault has written into its audit log. Beside them the revoker asks sys/leader for the state of its log, as for its health, once in two seconds and once in ten: without a token, without its store being read. What OpenBao writes for itself, soon after its start, is looked at once.',
        ...[...new Set(calls.flatMap((each) => Object.keys(each)))].slice(0, 12).map((what) => `Seen: ${what}.`),
      ],
    };
  },
};
export default row;

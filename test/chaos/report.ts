/**
 * What a chaos run says at its end: counts, not "passed".
 */
import type { Audit } from './audit.ts';
import { spreadOf, type Spread } from './death.ts';
import type { Harness } from './harness.ts';
import type { FaultCounts, Injector } from './injector.ts';
import type { Growth } from './memory.ts';
import type { Target } from './target.ts';

export interface ChaosReport {
  readonly seeds: readonly number[];
  readonly seconds: number;
  readonly runs: number;
  readonly tasks: number;
  readonly faults: FaultCounts;
  readonly checks: {
    readonly looks: number;
    readonly principals: number;
    readonly refusedLogins: number;
    readonly brokenSessions: number;
    readonly claims: number;
    readonly events: number;
    readonly records: number;
  };
  /** Milliseconds from an end to the last sign of life at the target. */
  readonly death: Readonly<Record<'healthy' | 'crashes' | 'outage', Spread>>;
  readonly memory: Readonly<Record<string, Growth>>;
  readonly orphans: readonly string[];
  readonly falseRevoked: readonly string[];
  readonly lostEvents: readonly string[];
  readonly violations: readonly string[];
}

export function reportOf(seeds: readonly number[], began: number, { harness, injector, target, found, memory }: Parts): ChaosReport {
  const deaths = (under: string) => spreadOf(harness.deaths.filter((death) => death.under === under));
  return {
    seeds,
    seconds: Math.round((Date.now() - began) / 1000),
    runs: harness.counts.runs,
    tasks: harness.tasks.size,
    faults: injector.counts,
    checks: {
      looks: target.looks,
      principals: target.principals.size,
      refusedLogins: harness.counts.refusedLogins,
      brokenSessions: harness.counts.brokenSessions,
      ...found.checked,
    },
    death: { healthy: deaths('healthy'), crashes: deaths('crashes'), outage: deaths('outage') },
    memory,
    orphans: [...harness.orphans],
    falseRevoked: found.falseClaims,
    lostEvents: found.lostEvents,
    violations: [...harness.violations, ...found.brokenEvidence, ...found.unsettled],
  };
}

interface Parts {
  readonly harness: Harness;
  readonly injector: Injector;
  readonly target: Target;
  readonly found: Audit;
  readonly memory: Readonly<Record<string, Growth>>;
}

/** True when nothing happened that must never happen. */
export const isGood = (report: ChaosReport): boolean =>
  [report.orphans, report.falseRevoked, report.lostEvents, report.violations].every(({ length }) => length === 0);

/** For people. */
export function show(report: ChaosReport): string {
  const { faults, checks, death } = report;
  const row = (name: string, said: string): string => `  ${name.padEnd(22)}${said}`;
  const list = (name: string, found: readonly string[]): string[] => [
    row(name, String(found.length)),
    ...found.map((each) => `      ${each}`),
  ];
  const times = ({ count, p50, p99, max }: Spread): string =>
    count === 0 ? 'none' : `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms (${count} tasks)`;
  return [
    `chaos: seed ${report.seeds.join(', ')}, ${report.runs} runs with ${report.tasks} tasks in ${report.seconds} s`,
    row(
      'services killed',
      `${faults.serviceKills}, with OpenBao within 100 ms ${faults.doubleFaults}, frozen ${faults.freezes}; wires broken ${faults.wires}`,
    ),
    row('servers killed', `openbao ${faults.servers.openbao}, postgres ${faults.servers.postgres}, kafka ${faults.servers.kafka}`),
    row('at failpoints', `${tally(faults.points)}; armed, but nobody came by: ${faults.missed}`),
    row('looked', `${checks.looks} times at the target, at ${checks.principals} users`),
    row('tried', `${checks.refusedLogins} logins (all refused), ${checks.brokenSessions} open sessions (all broken)`),
    row('compared', `${checks.claims} claims of "revoked", ${checks.events} events, ${checks.records} evidence records`),
    row('death, healthy', times(death.healthy)),
    row('death, with crashes', times(death.crashes)),
    row('death, with outages', times(death.outage)),
    ...Object.entries(report.memory).map(([service, growth]) => row(`memory, ${service}`, grown(growth))),
    ...list('orphans after 60 s', report.orphans),
    ...list('false revoked', report.falseRevoked),
    ...list('lost events', report.lostEvents),
    ...list('other violations', report.violations),
  ].join('\n');
}

const grown = ({ lives, samples, minutes, medianMib, maxMib, mibPerHour }: Growth): string =>
  samples === 0
    ? 'no process lived long enough'
    : `median ${medianMib} MiB, max ${maxMib} MiB, ${mibPerHour} MiB an hour (${samples} samples of ${lives} lives, the longest ${minutes} min)`;

const tally = (points: Readonly<Record<string, number>>): string =>
  Object.entries(points)
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([point, count]) => `${point} ×${count}`)
    .join(', ') || 'none';

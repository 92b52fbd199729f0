/** Growth: the same work among a hundred times as many live grants, and a million that ended. */
import { setTimeout as pause } from 'node:timers/promises';
import { readPolicySet } from '@mayfly/policy';
import { usageOf } from '../../world/figures.ts';
import { openDatabase } from '@mayfly/postgres';
import { analyze, fillLedger, vacuum, type Fill } from '../../world/fill-ledger.ts';
import { withTenants } from '../../world/tenants.ts';
import type { BenchStack } from '../bench-stack.ts';
import { cpuOf, perPiece, usedBetween } from '../cpu.ts';
import { endOurs } from '../ends.ts';
import type { Bench, Row } from '../row.ts';
import { startOurs, taskIds } from '../starts.ts';

const SIZES = {
  full: { small: 1_000, large: 100_000, ended: 1_000_000, tasks: 1_000 },
  quick: { small: 1_000, large: 10_000, ended: 20_000, tasks: 150 },
} as const;
const CAPABILITY = 'reports.kv';
const SERVICES = ['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console'];

interface Measured {
  readonly starts: number[];
  readonly ends: number[];
  /** Resident memory in MiB, by service. */
  readonly memory: Readonly<Record<string, number>>;
  /** Of one start and its end, for people. */
  readonly cpu: string;
}

const row: Row = {
  id: 'B8',
  what: 'growth: 1 k → 100 k live grants; 1 M ended ones in the store',
  whatQuick: 'growth: 1 k → 10 k live grants; 20,000 ended ones in the store',
  against: 'itself',
  reach: 'rate ≥ 0.9; RSS of each service ≤ 1.1 ×; query plans without a full scan',
  async measure(bench) {
    const { small, large, ended, tasks } = SIZES[bench.quick ? 'quick' : 'full'];
    const stack = await bench.ownStack({ liveTasks: large * 1.5 });
    const fill = await filling(stack, bench.seed);
    await fill('few', small, 'granted');
    await analyze(stack.ledger);
    // What a process takes while it is young is not growth.
    await measure(bench.quick ? { ...bench, rounds: 1 } : bench, stack, 'warm', tasks * 2);
    const few = await stack.live();
    const before = await measure(bench, stack, 'small', tasks);
    await fill('ended', ended, 'closed');
    await fill('many', large - small, 'granted');
    await settle(stack);
    const sizes = await sizesOf(stack, ended, large);
    const scanned = bench.quick ? undefined : await rowsScanned(bench, stack);
    const many = await stack.live();
    const after = await measure(bench, stack, 'large', tasks);
    const scans = scanned && readBetween(scanned, await rowsScanned(bench, stack));
    bench.say(`starts ${shown(before.starts)} → ${shown(after.starts)}/s, ends ${shown(before.ends)} → ${shown(after.ends)}/s`);
    if (scans) bench.say(`rows read by full scans: ${scans.map(([name, rows]) => `${name} ${rows}`).join(', ')}`);
    const grown = SERVICES.map((name) => (after.memory[name] ?? 0) / (before.memory[name] ?? 1));
    return {
      figures: [
        { name: `starts, ${few} live`, unit: 'starts/s', rounds: before.starts },
        { name: `starts, ${many} live and ${ended} ended`, unit: 'starts/s', rounds: after.starts },
        { name: `ends, ${few} live`, unit: 'ends/s', rounds: before.ends },
        { name: `ends, ${many} live and ${ended} ended`, unit: 'ends/s', rounds: after.ends },
        ...SERVICES.flatMap((name) => [
          { name: `memory of ${name}, before and after`, unit: 'MiB', rounds: [before.memory[name] ?? 0, after.memory[name] ?? 0] },
        ]),
      ],
      ratios: [
        { name: 'rate of starts', rounds: quotients(after.starts, before.starts), goal: { atLeast: 0.9 } },
        { name: 'rate of ends', rounds: quotients(after.ends, before.ends), goal: { atLeast: 0.9 } },
        {
          name: `memory of the service that grew most (${SERVICES[grown.indexOf(Math.max(...grown))]})`,
          rounds: [Math.max(...grown)],
          goal: { atMost: 1.1 },
        },
        ...(scans
          ? [
              {
                name: 'rows read by full scans of tables that grow',
                rounds: [scans.reduce((sum, [, rows]) => sum + rows, 0)],
                goal: { atMost: 0 },
                inEveryRound: true as const,
              },
            ]
          : []),
      ],
      notes: [
        `Rounds before and after cannot alternate: the ledger is filled in between, by SQL (grants, credentials, inbox; leases of those that ended; not the log of evidence), with grants of the tenant whose starts are measured${bench.quick ? '' : `, which may have ${large * 1.5} live tasks`}. ${tasks} starts and as many ends a round.`,
        `CPU of a start and its end: ${before.cpu} before, ${after.cpu} after.`,
        sizes,
        `Full scans are counted by PostgreSQL itself while the second half is measured (pg_stat_user_tables: grants, credentials, leases, inbox)${bench.quick ? '; not here, quick: it takes its time to tell' : ''}. libs/store/test/query-plans.test.ts explains each statement.`,
        ...(bench.quick ? ['Quick: on the stack of the rows before, with what they have left behind.'] : []),
      ],
    };
  },
};
export default row;

const shown = (values: readonly number[]): string => values.map(Math.round).join(' ');
const quotients = (ours: readonly number[], theirs: readonly number[]): number[] => ours.map((value, round) => value / theirs[round]!);

async function measure({ rounds, seed }: Bench, stack: BenchStack, part: string, tasks: number): Promise<Measured> {
  const starts: number[] = [];
  const ends: number[] = [];
  const usedBefore = await cpuOf(stack.processes);
  for (let round = 0; round < rounds; round += 1) {
    const ids = taskIds(`b8-${seed}-${part}-${round}`, tasks);
    starts.push(await startOurs(stack, 'token', ids));
    ends.push(await endOurs(stack, ids));
  }
  const cpu = perPiece(usedBetween(usedBefore, await cpuOf(stack.processes)), rounds * tasks);
  const usage = await usageOf(stack.processes);
  return { starts, ends, cpu, memory: Object.fromEntries(Object.entries(usage).map(([name, { mib }]) => [name, mib])) };
}

/** What the filling left to do is not what growth costs: rows are vacuumed before anything is measured. */
async function settle({ dev }: BenchStack): Promise<void> {
  const url = new URL(dev.postgres.url);
  // A million rows take longer than a statement of ours may.
  for (const bound of ['statement_timeout', 'query_timeout']) url.searchParams.set(bound, '900000');
  const patient = openDatabase({ url: url.href, applicationName: 'bench' });
  await vacuum(patient);
  await patient.close();
}

async function filling(stack: BenchStack, seed: number) {
  // The very one whose starts are measured: what grows in reality is who works.
  const tenant = stack.tenants[0]!;
  const set = readPolicySet(await withTenants(stack.tenants, [CAPABILITY]));
  const [current] = await stack.ledger.run<{ digest: string }>('', 'select digest from policy.current');
  const by = {
    ...tenant,
    tenant: tenant.name,
    workflow: 'storm',
    capability: set.capability(CAPABILITY)!,
    policyDigest: current!.digest,
  };
  return (name: string, count: number, state: Fill['state']): Promise<void> =>
    fillLedger(stack.ledger, { ...by, prefix: `b8-${seed}-filled-${name}`, count, state });
}

type Scans = readonly (readonly [table: string, rows: number])[];
const readBetween = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Scans =>
  Object.entries(after).map(([name, rows]) => [name, rows - (before[name] ?? 0)]);

/** So far, by table. */
async function rowsScanned({ signal }: Bench, { ledger }: BenchStack): Promise<Readonly<Record<string, number>>> {
  // A connection that has become idle says only after ten seconds what it has read: when the tables were small that was cheapest in whole.
  await pause(11_000, undefined, { signal });
  const rows = await ledger.run<{ name: string; rows: number }>(
    '',
    `select relname as name, seq_tup_read::float8 as rows from pg_stat_user_tables
     where schemaname = 'ledger' and relname in ('task_grant', 'credential', 'lease', 'inbox')`,
  );
  return Object.fromEntries(rows.map(({ name, rows: read }) => [name, read]));
}

/** What rows take, indexes with them. */
async function sizesOf({ ledger }: BenchStack, ended: number, live: number): Promise<string> {
  const [row] = await ledger.run<{ grants: number; leases: number; inbox: number; log: number; records: number }>(
    '',
    `select pg_total_relation_size('ledger.task_grant')::float8 + pg_total_relation_size('ledger.credential') as grants, pg_total_relation_size('ledger.lease')::float8 as leases,
       pg_total_relation_size('ledger.inbox')::float8 as inbox, pg_total_relation_size('evidence.log')::float8 as log, (select count(*)::float8 from evidence.log) as records`,
  );
  const { grants = 0, leases = 0, inbox = 0, log = 0, records = 1 } = row ?? {};
  const each = (bytes: number, of: number): number => Math.round(bytes / of);
  return `Bytes on disk, indexes included: ${each(grants, ended + live)} a grant with its credential, ${each(leases, ended)} a lease, ${each(inbox, ended + live)} an event in the inbox, ${each(log, records)} a record of evidence.`;
}

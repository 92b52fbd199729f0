/**
 * What a policy set would change: asked for, followed while it is made, and shown.
 * @module
 */
import { MayflyProblem } from '@mayfly/agent-client';
import type { Cli } from './cli.js';
import type { ConsoleClient } from './console-client.js';
import { plain, table } from './show.js';

interface PlanTable {
  readonly total: Readonly<Record<string, number>>;
  readonly rows: readonly {
    readonly agent: string;
    readonly initiator?: string;
    readonly capability: string;
    readonly reasons: readonly string[];
    readonly policies: readonly string[];
    readonly counts: Readonly<Record<string, number>>;
  }[];
  readonly more: boolean;
}

/** A plan, as the operators' API gives it. */
export interface Plan {
  readonly policyDigest: string;
  readonly current: string | null;
  /** False when the set in force cannot be used, so that everything is denied. */
  readonly usable: boolean;
  readonly days: number;
  readonly live: { readonly grants: number; readonly leases: number };
  readonly lost: PlanTable;
  readonly gained: PlanTable;
  readonly flipped: PlanTable;
}

/** What is planned: files, or a set that was applied before. */
export type Planned = ({ readonly files: Readonly<Record<string, string>> } | { readonly policyDigest: string }) & {
  readonly days: number;
};

/** Asks for a plan; a person sees how far it is. @throws MayflyProblem */
export async function makePlan(cli: Cli, operators: ConsoleClient, planned: Planned): Promise<Plan> {
  let plan: Plan | undefined;
  await operators.lines('/v1/policies/plan', planned, (line) => {
    if ('problem' in line) throw asProblem(line['problem']);
    if ('plan' in line) plan = line['plan'] as Plan;
    if ('progress' in line && cli.interactive) cli.err(`\r${progressText(line['progress'] as Progress)}`);
  });
  if (cli.interactive) cli.err('\r\u001b[K');
  if (!plan) throw new MayflyProblem('the console broke off while it planned; try again', { code: 'unreachable', status: 0 });
  return plan;
}

interface Progress {
  readonly phase: 'live' | 'history';
  readonly done: number;
  readonly total: number;
}
const progressText = ({ phase, done, total }: Progress): string =>
  `${phase === 'live' ? 'deciding live grants again' : 'deciding recorded starts again'}: ${done} of ${total}`.padEnd(60);

function asProblem(problem: unknown): MayflyProblem {
  const { code = 'internal', status = 500, detail = 'the console could not finish the plan' } = problem as Partial<Record<string, never>>;
  return new MayflyProblem(detail, { code, status });
}

/** A plan for people. */
export function planText({ current, usable, days, live, lost, gained, flipped }: Plan): string {
  const decisions = flipped.total['decisions'] ?? 0;
  const { toDeny = 0, toPermit = 0 } = flipped.total;
  return [
    `live now: ${live.grants} grants, ${live.leases} leases; in force: ${current ?? 'nothing'}${current !== null && !usable ? ' (cannot be used: everything is denied)' : ''}`,
    section(
      `lost: ${lost.total['leases'] ?? 0} leases, ${lost.total['permits'] ?? 0} permits of ${lost.total['grants'] ?? 0} grants`,
      lost,
    ),
    section(`gained: ${gained.total['permits'] ?? 0} permits of ${gained.total['grants'] ?? 0} grants`, gained),
    section(`of ${decisions} decisions of the last ${days} days: ${toDeny} would be denied, ${toPermit} permitted`, flipped),
  ].join('\n\n');
}

const spaced = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter}`);

function section(head: string, { rows, more, total }: PlanTable): string {
  if (rows.length === 0) return head;
  const counted = Object.keys(total).filter((name) => rows.some(({ counts }) => (counts[name] ?? 0) > 0));
  const lines = rows.map(({ agent, initiator, capability, counts, reasons, policies }) =>
    [agent, initiator ?? '-', capability, ...counted.map((name) => String(counts[name] ?? 0)), [...policies, ...reasons].join(' ')].map(
      plain,
    ),
  );
  return `${head}\n${table(['agent', 'initiator', 'capability', ...counted.map(spaced), 'why'], lines)}${more ? '\n… and more rows; the counts above are of all' : ''}`;
}

/** The decision corpus: what every decider has to answer (`cases.yaml`). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { newDecisionId, type TaskFacts } from '@mayfly/domain';
import { readPolicySet, type DecisionQuestion, type PolicyFiles } from '@mayfly/policy';
import { parse } from 'yaml';
import { example, ETL, facts, REPORTER } from '../questions.js';

const here = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** The Rego twin of `axes.cedar`, for the Open Policy Agent. */
export const AXES_REGO = fileURLToPath(new URL('axes.rego', import.meta.url));

const WORKFLOWS = Object.entries({
  'axis-plain': '',
  'axis-production': 'environment: production, autonomyTier: 4',
  'axis-assisted': 'environment: production, autonomyTier: 2',
  'axis-unsaid': 'environment: production',
  'axis-staging': 'environment: staging, autonomyTier: 5',
}).map(
  ([name, said]) => `      - { name: ${name}, agents: [${ETL}, spiffe://x/resting, spiffe://x/orphan], maxDurationSeconds: 60, ${said} }\n`,
);
const AGENTS = `agents:
  spiffe://x/resting: { tenant: default, status: suspended, owner: o }
  spiffe://x/orphan: { tenant: default, status: active, owner: gone }
  spiffe://x/foreign: { tenant: other, status: active, owner: o }
`;

/** The worked example, one rule for each axis more, and what they are about. */
export const corpusFiles = (): PolicyFiles => ({
  ...example,
  'policies/axes.cedar': here('axes.cedar'),
  'registrations.yaml': example['registrations.yaml']!.replace('    workflows:\n', `    workflows:\n${WORKFLOWS.join('')}`)
    .replace('agents:\n  spiffe', `${AGENTS}  spiffe`)
    .concat('\noffboarded: [mallory, gone]\n'),
});

const NAMES: Readonly<Record<string, string>> = {
  etl: ETL,
  reporter: REPORTER,
  resting: 'spiffe://x/resting',
  orphan: 'spiffe://x/orphan',
  foreign: 'spiffe://x/foreign',
};
const step = (tool: string, action: string, resource: string, host?: string) => ({ tool, action, resource, ...(host && { host }) });
const STEPS: Readonly<Record<string, ReturnType<typeof step>>> = {
  read: step('sql.query', 'read', 'orders'),
  write: step('sql.execute', 'write', 'orders'),
  'write-Orders': step('sql.execute', 'write', 'Orders'),
  'read-customers': step('sql.query', 'read', 'customers'),
  'write-customers': step('sql.execute', 'write', 'customers'),
  'read-elsewhere': step('sql.query', 'read', 'orders', 'db.example.net'),
  'read-inside': step('sql.query', 'read', 'orders', 'db.example.org'),
  shell: step('shell', 'run', 'host-7'),
  drop: step('sql.execute', 'drop', 'orders'),
};

type Row = Readonly<Record<string, any>>;

/** One question and its answer. */
export interface Case {
  readonly name: string;
  readonly question: DecisionQuestion;
  readonly expected: { readonly decision: 'permit' | 'deny'; readonly reasons: readonly string[]; readonly policies: readonly string[] };
}

/** All of them. */
export const corpus = (): Case[] => (parse(here('cases.yaml')) as Row[]).flatMap(expanded).map(toCase);

const WHOLE = ['permit', 'forbid', 'deny'];

/** A list means one row for each value; a plan is a list itself, and is meant so only where it is a list of lists. */
function expanded(row: Row): Row[] {
  const isMany = ([key, value]: [string, unknown]): boolean =>
    !WHOLE.includes(key) && Array.isArray(value) && (key !== 'plan' || value.some((one) => Array.isArray(one)));
  const many = Object.entries(row).find(isMany);
  return many ? (many[1] as unknown[]).flatMap((value) => expanded({ ...row, [many[0]]: value })) : [row];
}

const expectedOf = ({ permit, forbid, deny }: Row): Case['expected'] => {
  if (permit) return { decision: 'permit', reasons: ['policy-permits'], policies: permit };
  return { decision: 'deny', reasons: [forbid ? 'policy-denies' : deny], policies: forbid ?? [] };
};

function toCase(row: Row): Case {
  const { plan = ['read', 'write'], dataClass, initiator, approval } = row;
  const at = new Date(row['at'] ?? '2026-11-22T10:00:00Z');
  const [kind, id] = initiator?.split(':') ?? [];
  const task: TaskFacts = facts({
    intent: { purpose: newDecisionId(), plan: plan.map((name: string) => STEPS[name]!), ...(dataClass && { dataClass }) },
    agent: NAMES[row['agent'] ?? 'etl'] ?? row['agent'],
    workflow: row['workflow'] ?? 'nightly-etl',
    risk: row['risk'] ?? 0,
    delegationDepth: row['depth'] ?? 0,
    behaviour: row['behaviour'] ?? 'normal',
    ...(row['source'] && { source: row['source'] }),
    ...(row['tenant'] && { tenant: row['tenant'] }),
    ...(row['parent'] && { parentTaskId: row['parent'] }),
    ...(row['attempt'] && { attempt: row['attempt'] }),
    ...(initiator && { initiator: { kind, id } }),
    ...(approval && { approval: { by: approval, at } }),
  });
  return { name: JSON.stringify(row).replaceAll('"', ''), question: questionOf(row, task, at), expected: expectedOf(row) };
}

const { capability: entryOf } = readPolicySet(corpusFiles());

function questionOf({ action, capability, pinned, step: name, kind = 'table', to }: Row, task: TaskFacts, at: Date): DecisionQuestion {
  if (action === 'delegate') return { action, to: NAMES[to] ?? to, task, at };
  if (action !== 'call') return { action, capability, task, at, ...(pinned && { pinned: { ...entryOf(capability)!, ...pinned } }) };
  const { tool, action: verb, resource, host } = STEPS[name]!;
  return { action, call: { tool, verb, resource: { type: kind, id: resource }, ...(host && { host }) }, task, at };
}

/** Questions of the worked example, and deciders over it. */
import type { TaskFacts } from '@mayfly/domain';
import { readPolicy, readPolicyFiles } from '@mayfly/policy';
import type { CallQuestion, CapabilityQuestion, Decider, Decision, DelegateQuestion, PolicyFiles } from '@mayfly/policy';

export const ETL = 'spiffe://example.org/agent/etl';
export const REPORTER = 'spiffe://example.org/agent/reporter';
/** A Sunday. */
export const AT = new Date('2026-11-22T10:00:00Z');
export const READ = { tool: 'sql.query', action: 'read', resource: 'orders' };
export const WRITE = { tool: 'sql.execute', action: 'write', resource: 'orders' };

export const example = await readPolicyFiles('deploy/policies/example');

/** The ETL agent's task, with both steps on its plan. */
export const facts = (changes: Partial<TaskFacts> = {}): TaskFacts => ({
  taskId: 'etl-0042',
  tenant: 'default',
  source: 'urn:example:orchestrator',
  workflow: 'nightly-etl',
  agent: ETL,
  intent: { purpose: 'refresh the sales mart', plan: [READ, WRITE] },
  risk: 0,
  behaviour: 'normal',
  delegationDepth: 0,
  ...changes,
});

export const mint = (task: Partial<TaskFacts> = {}, capability = 'orders-db.read', at = AT): CapabilityQuestion => ({
  action: 'mint',
  capability,
  at,
  task: facts(task),
});
export const call = (
  task: Partial<TaskFacts> = {},
  step: { tool: string; action: string; resource: string; host?: string } = READ,
): CallQuestion => ({
  action: 'call',
  call: {
    tool: step.tool,
    verb: step.action,
    resource: { type: 'table', id: step.resource },
    ...(step.host !== undefined && { host: step.host }),
  },
  at: AT,
  task: facts(task),
});
export const delegate = (task: Partial<TaskFacts> = {}, to = REPORTER): DelegateQuestion => ({
  action: 'delegate',
  to,
  at: AT,
  task: facts(task),
});

/** The example's files with more policies, and with texts replaced: `[file, from, to]`. */
export function filesWith(policies: string, ...edits: [file: string, from: string | RegExp, to: string][]): PolicyFiles {
  let files: PolicyFiles = { ...example, 'policies/more.cedar': policies };
  for (const [file, from, to] of edits) {
    const text = files[file] ?? '';
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`nothing to replace in ${file}`);
    files = { ...files, [file]: changed };
  }
  return files;
}
export const deciderWith = (...change: Parameters<typeof filesWith>): Decider => readPolicy(filesWith(...change)).decider;
export const verdict = ({ decision, reasons, policies }: Decision): unknown[] => [decision, ...reasons, ...policies];

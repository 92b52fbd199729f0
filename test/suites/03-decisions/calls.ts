/** A workflow of its own for tests of tool calls: its budgets and ladder are no other test's business. */
import type { PolicyFiles } from '@mayfly/policy';
import { ETL, type StartOptions, type World } from '../../world/world.js';

export const PLAN = [
  { tool: 'sql.query', action: 'read', resource: 'orders' },
  { tool: 'sql.query', action: 'write', resource: 'orders' },
  { tool: 'http.get', action: 'read', resource: 'rates', host: 'rates.example.org' },
];
const POLICY = `@id("test-calls-credentials")
permit (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource) when { context.workflow like "calls-*" };
@id("test-calls")
permit (principal, action == Mayfly::Action::"call", resource) when { context.workflow like "calls-*" && context.risk < 80 };
`;

/**
 * The example with workflows `calls-<name>`, in which everything on the plan is permitted.
 * @param workflows what the registration says beside agents and duration, as one line of YAML
 * @param more policies beside
 */
export const withWorkflows = (example: PolicyFiles, workflows: Readonly<Record<string, string>>, more = ''): PolicyFiles => ({
  ...example,
  'policies/test-calls.cedar': POLICY + more,
  'registrations.yaml': example['registrations.yaml']!.replace(
    'urn:example:orchestrator:\n    tenant: default\n    signatures: accepted\n    workflows:\n',
    (head) =>
      head +
      Object.entries(workflows)
        .map(([name, rest]) => `      - { name: calls-${name}, agents: [${ETL}], maxDurationSeconds: 600, ${rest} }\n`)
        .join(''),
  ),
});

/** Starts a task of such a workflow and waits until it has what it asked for. */
export async function startCalls(
  world: World,
  workflow: string,
  capabilities: Parameters<World['start']>[0] = ['orders-db.read'],
  options: StartOptions = {},
): Promise<string> {
  const intent = { purpose: 'refresh the sales mart', plan: PLAN };
  const data = { workflow: { name: `calls-${workflow}` }, intent, ...options.data };
  const taskId = await world.start(capabilities, { ...options, data });
  await world.event(taskId, 'grant.issued');
  return taskId;
}

/** A question about one call of the etl agent. */
export const question = (taskId: string, changes: Readonly<Record<string, unknown>> = {}) => ({
  subject: { type: 'agent', id: ETL },
  action: { name: 'read' },
  resource: { type: 'table', id: 'orders' },
  context: { taskId, tool: 'sql.query' },
  ...changes,
});
export const WRITE = { action: { name: 'write' } };
export const OFF_PLAN = { resource: { type: 'table', id: 'salaries' } };

/** Asks it, as its body is. */
export const evaluate = (world: World, body: unknown, path = 'evaluation', headers: Record<string, string> = {}) =>
  world.ask(`/access/v1/${path}`, { method: 'POST', body: JSON.stringify(body), headers });
/** The reason that one call is answered with. */
export const reasonOf = async (world: World, taskId: string, changes?: Readonly<Record<string, unknown>>): Promise<string> =>
  (await evaluate(world, question(taskId, changes))).body.context.reason as string;
/** Has so many calls refused. */
export async function misbehave(world: World, taskId: string, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await evaluate(world, question(taskId, OFF_PLAN));
}

/** What the timeline of a task says under this kind. */
export async function factsOf(world: World, taskId: string, kind: string): Promise<Record<string, any>[]> {
  const { body } = await world.operate(`/v1/tasks/${taskId}/timeline`);
  return (body.entries as { kind: string; data: Record<string, any> }[])
    .filter((entry) => entry.kind === `dev.mayfly.evidence.${kind}.v1`)
    .map(({ data }) => data);
}

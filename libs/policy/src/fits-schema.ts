/**
 * Whether a Cedar schema can be asked Mayfly's questions.
 * @module
 */
import { preparsePolicySet, preparseSchema, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { digestOf, type Capability, type TaskFacts } from '@mayfly/domain';
import { cedarRequest } from './cedar-request.js';
import { ACTIONS, type Action } from './question.js';
import type { KnownQuestion } from './refuse-by-registration.js';

const at = new Date(0);
const agent = { id: 'agent', tenant: 'tenant', owner: 'owner', status: 'active' } as const;
const to = { ...agent, id: 'other' };
const capability = { name: 'capability', engine: 'kv', shape: 'static', dataClass: 'internal', access: 'read' } as Capability;
const least: TaskFacts = {
  taskId: 'task',
  tenant: 'tenant',
  source: 'source',
  workflow: 'workflow',
  agent: agent.id,
  intent: { purpose: 'purpose', plan: [] },
  risk: 0,
  behaviour: 'normal',
  delegationDepth: 0,
};
const step = { tool: 'tool', action: 'action', resource: 'resource', host: 'host' };
const most: TaskFacts = {
  ...least,
  initiator: { id: 'initiator', kind: 'human' },
  intent: { purpose: 'purpose', dataClass: 'internal', plan: [step] },
  parentTaskId: 'parent',
  attempt: 1,
  approval: { by: 'operator', at },
};
const workflow = { name: 'workflow', agents: [], maxDurationSeconds: 1 };
const smallest = { agent, workflow, task: least, at };
const fullest = { agent, workflow: { ...workflow, environment: 'production', autonomyTier: 0 }, task: most, at };
const call = { tool: 'tool', verb: 'verb', resource: { type: 'kind', id: 'resource' } };

function questionsFor(action: Action): KnownQuestion[] {
  if (action === 'delegate') return [smallest, fullest].map((known) => ({ ...known, action, to }));
  if (action !== 'call') return [smallest, fullest].map((known) => ({ ...known, action, capability }));
  return [
    { ...smallest, action, call, access: 'read' },
    { ...fullest, action, call: { ...call, host: 'host' }, access: 'write' },
  ];
}

/**
 * True when the schema takes both the smallest and the fullest question of every action. Otherwise
 * every real question would end as `evaluation-error`: a set like that is better refused at load.
 */
export function fitsSchema(schema: string): boolean {
  const preparsedSchemaName = digestOf(schema);
  const parsed = [preparseSchema(preparsedSchemaName, schema), preparsePolicySet(NO_POLICIES, { staticPolicies: {} })];
  return (
    parsed.every(({ type }) => type === 'success') &&
    ACTIONS.flatMap(questionsFor).every(
      (question) =>
        statefulIsAuthorized({ ...cedarRequest(question), preparsedSchemaName, validateRequest: true, preparsedPolicySetId: NO_POLICIES })
          .type === 'success',
    )
  );
}

const NO_POLICIES = 'none';

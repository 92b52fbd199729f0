/**
 * Whether a Cedar schema can be asked Mayfly's questions.
 * @module
 */
import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { cedarRequest } from './cedar-request.js';
import { ACTIONS } from './question.js';
import type { TaskFacts } from '@mayfly/domain';

const agent = { id: 'agent', tenant: 'tenant', owner: 'owner' };
const capability = { name: 'capability', engine: 'kv', shape: 'static', dataClass: 'internal' } as const;
const least: TaskFacts = {
  taskId: 'task',
  tenant: 'tenant',
  source: 'source',
  workflow: 'workflow',
  agent: agent.id,
  intent: { purpose: 'purpose', plan: [] },
  risk: 0,
  delegationDepth: 0,
};
const most: TaskFacts = {
  ...least,
  initiator: { id: 'initiator', kind: 'human' },
  intent: { purpose: 'purpose', dataClass: 'internal', plan: [{ tool: 'tool', action: 'action', resource: 'resource' }] },
  parentTaskId: 'parent',
  attempt: 1,
};

/**
 * True when the schema takes both the smallest and the fullest question of every action. Otherwise
 * every real question would end as `evaluation-error`: a set like that is better refused at load.
 */
export const fitsSchema = (schema: string): boolean =>
  ACTIONS.every((action) =>
    [least, most].every((task) => {
      const request = cedarRequest({ action, capability: capability.name, task, at: new Date(0) }, agent, capability);
      return isAuthorized({ ...request, schema, validateRequest: true, policies: { staticPolicies: {} } }).type === 'success';
    }),
  );

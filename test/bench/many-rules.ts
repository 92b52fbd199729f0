/** The same rules for whoever decides: which agent may write in which table. */
import { statefulIsAuthorized, preparsePolicySet, preparseSchema } from '@cedar-policy/cedar-wasm/nodejs';
import type { CallQuestion, PolicyFiles } from '@mayfly/policy';
import type { Tenant } from '../world/tenants.ts';

const RISK = 80;
const WORKFLOW = 'storm';
const TOOL = 'sql.execute';
const VERB = 'write';

export const tables = (count: number): string[] => Array.from({ length: count }, (_, at) => `table-${at}`);

/** What is asked of each of these tables. */
export const planOf = (names: readonly string[]) => names.map((resource) => ({ tool: TOOL, action: VERB, resource }));

const cedarRule = ({ agent }: Tenant, table: string): string => `@id("writes-${table}")
permit (principal == Mayfly::Agent::"${agent}", action == Mayfly::Action::"call", resource == Mayfly::Resource::"${table}")
when { context.workflow == "${WORKFLOW}" && context.risk < ${RISK} };`;

/** In Mayfly's policy set, beside what is there. */
export const withRules = (files: PolicyFiles, tenant: Tenant, count: number): PolicyFiles => ({
  ...files,
  'policies/rules.cedar': tables(count)
    .map((table) => cedarRule(tenant, table))
    .join('\n'),
});

/** In Rego, in the form that its compiler makes an index of: one comparison with a constant a line. */
export const regoRules = ({ agent }: Tenant, count: number): string => `package bench

default decision := {"decision": false}

decision := {"decision": true, "context": {"policies": permits}} if count(permits) > 0

${tables(count)
  .map(
    (table) => `permits contains "writes-${table}" if {
	input.subject.id == "${agent}"
	input.action.name == "call"
	input.resource.id == "${table}"
	input.context.workflow == "${WORKFLOW}"
	input.context.risk < ${RISK}
}`,
  )
  .join('\n\n')}
`;

export const question = ({ name, source, agent }: Tenant, table: string): CallQuestion => ({
  action: 'call',
  call: { tool: TOOL, verb: VERB, resource: { type: 'table', id: table } },
  at: new Date(),
  task: {
    taskId: 'decided-in-process',
    tenant: name,
    source,
    workflow: WORKFLOW,
    agent,
    intent: { purpose: 'be asked often', plan: planOf([table, 'another']) },
    risk: 12,
    behaviour: 'normal',
    delegationDepth: 0,
  },
});

/** The body of a question to Mayfly over HTTP (AuthZEN). */
export const evaluation = (agent: string, taskId: string, table: string) => ({
  subject: { type: 'agent', id: agent },
  action: { name: VERB },
  resource: { type: 'table', id: table },
  context: { taskId, tool: TOOL },
});

/** The body of the same question to the Open Policy Agent, which has to be told what Mayfly knows. */
export const regoInput = (agent: string, taskId: string, table: string) => ({
  input: {
    subject: { type: 'agent', id: agent },
    action: { name: 'call', properties: { tool: TOOL, verb: VERB } },
    resource: { type: 'resource', id: table, properties: { kind: 'table' } },
    context: { taskId, workflow: WORKFLOW, risk: 12 },
  },
});

/** Cedar with nothing around it: schema and policies parsed once, all policies asked, the same question in the same words. */
export function plainCedar(files: PolicyFiles, tenant: Tenant, count: number): (table: string) => boolean {
  const name = `plain ${count}`;
  const rules = Object.fromEntries(tables(count).map((table) => [`writes-${table}`, cedarRule(tenant, table)]));
  const parsed = [preparseSchema(name, files['schema.cedarschema'] ?? ''), preparsePolicySet(name, { staticPolicies: rules })];
  if (parsed.some(({ type }) => type === 'failure')) throw new Error('Cedar cannot parse the rules');
  return (table) => {
    const { task, at } = question(tenant, table);
    const answer = statefulIsAuthorized({
      principal: uid('Agent', tenant.agent),
      action: uid('Action', 'call'),
      resource: uid('Resource', table),
      context: {
        task: { __entity: uid('Task', task.taskId) },
        tenant: task.tenant,
        source: task.source,
        workflow: task.workflow,
        purpose: task.intent.purpose,
        plan: task.intent.plan.map(({ action, resource }) => ({ action, resource })),
        tools: task.intent.plan.map(({ tool }) => ({ __entity: uid('Tool', tool) })),
        verbs: task.intent.plan.map(({ action }) => action),
        resources: task.intent.plan.map(({ resource }) => ({ __entity: uid('Resource', resource) })),
        hosts: [],
        risk: task.risk,
        behaviour: task.behaviour,
        delegationDepth: task.delegationDepth,
        at: { __extn: { fn: 'datetime', arg: at.toISOString() } },
        weekday: at.getUTCDay() || 7,
        hour: at.getUTCHours(),
        tool: { __entity: uid('Tool', TOOL) },
        verb: VERB,
        access: 'write',
      },
      entities: [
        { uid: uid('Agent', tenant.agent), attrs: { tenant: tenant.name, owner: 'storm@example.org' }, parents: [] },
        { uid: uid('Resource', table), attrs: { kind: 'table' }, parents: [] },
        { uid: uid('Task', task.taskId), attrs: {}, parents: [] },
      ],
      validateRequest: true,
      preparsedSchemaName: name,
      preparsedPolicySetId: name,
    });
    return answer.type === 'success' && answer.response.decision === 'allow';
  };
}

const uid = (type: string, id: string) => ({ type: `Mayfly::${type}`, id });

/** Tenants of storms and benchmarks: each with an orchestrator, a workflow and an agent of its own, beside the example's. */
import { fileURLToPath } from 'node:url';
import { readPolicyFiles, type PolicyFiles } from '@mayfly/policy';
import { parse, stringify } from 'yaml';

export interface Tenant {
  readonly name: string;
  readonly source: string;
  readonly agent: string;
}

const WORKFLOW = 'storm';
/** Longer than any storm; the database engine's own bound is 70 minutes. */
const LIFE_SECONDS = 3_600;

export const tenantsOf = (count: number): Tenant[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `storm-${index + 1}`,
    source: `urn:storm:orchestrator-${index + 1}`,
    agent: `spiffe://example.org/agent/storm-${index + 1}`,
  }));

/** More of a tenant's registration, by tenant: quotas, a breaker. */
export interface Limits {
  readonly quotas?: Readonly<Record<string, number>>;
  readonly breaker?: Readonly<Record<string, number>>;
}

/** The example's policy set with these tenants, who may have these capabilities. */
export async function withTenants(
  tenants: readonly Tenant[],
  capabilities: readonly string[],
  limits: Readonly<Record<string, Limits>> = {},
): Promise<PolicyFiles> {
  const example = await readPolicyFiles(fileURLToPath(new URL('../../deploy/policies/example', import.meta.url)));
  const registrations = parse(example['registrations.yaml'] ?? '') as Record<'orchestrators' | 'agents', Record<string, object>>;
  for (const { name, source, agent } of tenants) {
    const { quotas, breaker } = limits[name] ?? {};
    const workflow = { name: WORKFLOW, agents: [agent], maxDurationSeconds: LIFE_SECONDS, ...(breaker && { breaker }) };
    registrations.orchestrators[source] = { tenant: name, signatures: 'accepted', workflows: [workflow], ...(quotas && { quotas }) };
    registrations.agents[agent] = { tenant: name, status: 'active', owner: 'storm@example.org' };
  }
  const policies = capabilities.map(
    (capability, index) => `@id("storm-${index + 1}")
permit (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource == Mayfly::Capability::"${capability}")
when { context.workflow == "${WORKFLOW}" };`,
  );
  return {
    ...example,
    'registrations.yaml': stringify(registrations, { aliasDuplicateObjects: false }),
    'policies/storm.cedar': policies.join('\n'),
  };
}

/** The data of a start by a tenant's agent. */
export const stormTask = ({ agent }: Tenant, taskId: string, capability: string): Readonly<Record<string, unknown>> => ({
  taskId,
  workflow: { name: WORKFLOW },
  agent: { id: agent },
  intent: { purpose: 'be one of many' },
  credentials: [{ name: 'secret', capability, ttlSeconds: LIFE_SECONDS }],
});

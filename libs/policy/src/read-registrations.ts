/**
 * `registrations.yaml`: which orchestrators and agents exist, and what belongs to whom.
 * @module
 */
import { InvalidPolicySet } from './errors.js';
import type { Agent, Orchestrator, Transmitter, Workflow } from './policy-set.js';
import type { Quotas } from './quotas.js';
import { readYaml } from './read-yaml.js';
import { registrationsForm, type RegistrationsText, type WorkflowText } from './registrations-form.js';

/** Path of the registrations in a policy set. */
export const REGISTRATIONS_FILE = 'registrations.yaml';

/** What `registrations.yaml` says. */
export interface Registrations {
  readonly orchestrators: readonly Orchestrator[];
  readonly agents: readonly Agent[];
  /** Quotas by tenant. */
  readonly tenants: Readonly<Record<string, Quotas>>;
  readonly offboarded: readonly string[];
  readonly transmitters: readonly Transmitter[];
}

/**
 * Reads the registrations.
 * @throws InvalidPolicySet
 */
export function readRegistrations(text: string): Registrations {
  const read = readYaml(REGISTRATIONS_FILE, text, registrationsForm);
  const agents = Object.entries(read.agents).map(([id, { quotas, ...agent }]): Agent => ({ id, ...agent, ...(quotas && { quotas }) }));
  const orchestrators = Object.entries(read.orchestrators).map(
    ([source, { tenant, workflows, signatures, keys, quotas }]): Orchestrator => {
      for (const { name, agents: ids } of workflows) checkAgents(`orchestrators › ${source} › ${name}`, tenant, ids, agents);
      checkUnique(
        `orchestrators › ${source} › workflows`,
        workflows.map(({ name }) => name),
      );
      checkKeys(`orchestrators › ${source}`, keys);
      return { source, tenant, workflows: workflows.map(toWorkflow), signatures, keys, ...(quotas && { quotas }) };
    },
  );
  const transmitters = Object.entries(read.transmitters).map(([issuer, { audience, ...rest }]): Transmitter => {
    checkKeys(`transmitters › ${issuer}`, rest.keys);
    return { issuer, ...rest, ...(audience !== undefined && { audience }) };
  });
  checkTenants(read, new Set([...orchestrators, ...agents].map(({ tenant }) => tenant)));
  const tenants = Object.fromEntries(Object.entries(read.tenants).map(([name, { quotas }]) => [name, quotas]));
  return { orchestrators, agents, tenants, offboarded: read.offboarded, transmitters };
}

function toWorkflow({ heartbeatTimeoutSeconds, breaker, environment, autonomyTier, budgets, behaviour, ...rest }: WorkflowText): Workflow {
  return {
    ...rest,
    ...(heartbeatTimeoutSeconds !== undefined && { heartbeatTimeoutSeconds }),
    ...(breaker && { breaker }),
    ...(environment !== undefined && { environment }),
    ...(autonomyTier !== undefined && { autonomyTier }),
    ...(budgets && { budgets }),
    ...(behaviour && { behaviour }),
  };
}

/** A misspelt tenant would be one without bounds, or one whose signals reach nobody. */
function checkTenants({ tenants, transmitters }: RegistrationsText, known: ReadonlySet<string>): void {
  const named = [
    ...Object.keys(tenants).map((tenant) => ({ where: `tenants › ${tenant}`, tenant })),
    ...Object.entries(transmitters).map(([issuer, { tenant }]) => ({ where: `transmitters › ${issuer} › tenant › ${tenant}`, tenant })),
  ];
  const stray = named.find(({ tenant }) => !known.has(tenant));
  if (stray) throw new InvalidPolicySet(REGISTRATIONS_FILE, `${stray.where}: no orchestrator or agent belongs to it`);
}

function checkAgents(where: string, tenant: string, ids: readonly string[], agents: readonly Agent[]): void {
  checkUnique(`${where} › agents`, ids);
  for (const id of ids) {
    const agent = agents.find((candidate) => candidate.id === id);
    if (!agent) throw new InvalidPolicySet(REGISTRATIONS_FILE, `${where} › agents: ${id} is not registered under agents`);
    if (agent.tenant !== tenant) throw new InvalidPolicySet(REGISTRATIONS_FILE, `${where} › agents: ${id} belongs to another tenant`);
  }
}

const checkKeys = (where: string, keys: readonly { readonly kid: string }[]): void =>
  checkUnique(
    `${where} › keys`,
    keys.map(({ kid }) => kid),
  );

function checkUnique(where: string, names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw new InvalidPolicySet(REGISTRATIONS_FILE, `${where}: a name occurs twice`);
}

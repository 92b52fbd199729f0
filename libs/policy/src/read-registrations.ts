/**
 * `registrations.yaml`: which orchestrators and agents exist, and what belongs to whom.
 * @module
 */
import { publicKeyForm } from '@mayfly/identity';
import { z } from 'zod';
import { InvalidPolicySet } from './errors.js';
import type { Agent, Orchestrator, Workflow } from './policy-set.js';
import { quotasForm, type Quotas } from './quotas.js';
import { readYaml } from './read-yaml.js';

/** Path of the registrations in a policy set. */
export const REGISTRATIONS_FILE = 'registrations.yaml';

/** Names of people's making: no spaces or control characters, so that they can be shown and logged as they are. */
const word = z
  .string()
  .max(256)
  .regex(/^[\x21-\x7e]+$/, 'is visible ASCII without spaces');
/** As words, but an OIDC subject may have spaces inside. */
const identity = z
  .string()
  .max(2048)
  .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, 'is visible ASCII, without spaces around it');
const seconds = z.int().positive().max(31_536_000);

const workflow = z.strictObject({
  name: word,
  agents: z.array(identity).min(1),
  maxDurationSeconds: seconds,
  heartbeatTimeoutSeconds: seconds.optional(),
  breaker: z.strictObject({ failures: z.int().positive().max(1_000), withinSeconds: seconds, openForSeconds: seconds }).optional(),
});
const orchestrator = z
  .strictObject({
    tenant: word,
    signatures: z.enum(['required', 'accepted']).default('required'),
    keys: z.array(publicKeyForm).max(16).default([]),
    workflows: z.array(workflow),
    quotas: quotasForm.optional(),
  })
  .refine(({ signatures, keys }) => signatures === 'accepted' || keys.length > 0, {
    path: ['keys'],
    message: 'signatures are required, so at least one public key is; or say `signatures: accepted`',
  });
const form = z.strictObject({
  orchestrators: z.record(word, orchestrator),
  agents: z.record(
    identity,
    z.strictObject({ tenant: word, status: z.enum(['active', 'suspended']), owner: word, quotas: quotasForm.optional() }),
  ),
  tenants: z.record(word, z.strictObject({ quotas: quotasForm })).default({}),
});

/** What `registrations.yaml` says. */
export interface Registrations {
  readonly orchestrators: readonly Orchestrator[];
  readonly agents: readonly Agent[];
  /** Quotas by tenant. */
  readonly tenants: Readonly<Record<string, Quotas>>;
}

/**
 * Reads the registrations.
 * @throws InvalidPolicySet
 */
export function readRegistrations(text: string): Registrations {
  const read = readYaml(REGISTRATIONS_FILE, text, form);
  const agents = Object.entries(read.agents).map(([id, { quotas, ...agent }]): Agent => ({ id, ...agent, ...(quotas && { quotas }) }));
  const orchestrators = Object.entries(read.orchestrators).map(
    ([source, { tenant, workflows, signatures, keys, quotas }]): Orchestrator => {
      for (const { name, agents: ids } of workflows) checkAgents(`orchestrators › ${source} › ${name}`, tenant, ids, agents);
      checkUnique(
        `orchestrators › ${source} › workflows`,
        workflows.map(({ name }) => name),
      );
      checkUnique(
        `orchestrators › ${source} › keys`,
        keys.map(({ kid }) => kid),
      );
      return { source, tenant, workflows: workflows.map(toWorkflow), signatures, keys, ...(quotas && { quotas }) };
    },
  );
  const owners = new Set([...orchestrators, ...agents].map(({ tenant }) => tenant));
  const stray = Object.keys(read.tenants).find((tenant) => !owners.has(tenant));
  // A misspelt tenant would be one without bounds.
  if (stray !== undefined) throw new InvalidPolicySet(REGISTRATIONS_FILE, `tenants › ${stray}: no orchestrator or agent belongs to it`);
  const tenants = Object.fromEntries(Object.entries(read.tenants).map(([name, { quotas }]) => [name, quotas]));
  return { orchestrators, agents, tenants };
}

function toWorkflow({ heartbeatTimeoutSeconds, breaker, ...rest }: z.infer<typeof workflow>): Workflow {
  return { ...rest, ...(heartbeatTimeoutSeconds !== undefined && { heartbeatTimeoutSeconds }), ...(breaker && { breaker }) };
}

function checkAgents(where: string, tenant: string, ids: readonly string[], agents: readonly Agent[]): void {
  checkUnique(`${where} › agents`, ids);
  for (const id of ids) {
    const agent = agents.find((candidate) => candidate.id === id);
    if (!agent) throw new InvalidPolicySet(REGISTRATIONS_FILE, `${where} › agents: ${id} is not registered under agents`);
    if (agent.tenant !== tenant) throw new InvalidPolicySet(REGISTRATIONS_FILE, `${where} › agents: ${id} belongs to another tenant`);
  }
}

function checkUnique(where: string, names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw new InvalidPolicySet(REGISTRATIONS_FILE, `${where}: a name occurs twice`);
}

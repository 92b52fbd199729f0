/**
 * What another policy set means for live grants: which of them may be decided otherwise by it.
 * @module
 */
import { canonicalJson } from '@mayfly/domain';
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Orchestrator, PolicySet } from './policy-set.js';
import { joined, type Affected, type SliceField } from './slice.js';
import { sliceOfPolicy } from './slice-of-policy.js';

/** The parts of a set that are data: a new one is not compiled before it is said here whom its changes affect. */
type Part = { [Key in keyof PolicySet]: PolicySet[Key] extends (...args: never[]) => unknown ? never : Key }[keyof PolicySet];
type Comparison = (before: PolicySet, after: PolicySet) => readonly Affected[];

const NOBODY: Comparison = () => [];
const COMPARISONS: Readonly<Record<Part, Comparison>> = {
  digest: NOBODY,
  files: NOBODY,
  schema: (before, after) => (before.schema === after.schema ? [] : ['all']),
  policies: (before, after) =>
    differing(
      Object.entries(before.policies),
      Object.entries(after.policies),
      ([id]) => id,
      ([, text]) => meaningOf(text),
    ).flatMap((id) => [before, after].flatMap(({ policies }) => (policies[id] === undefined ? [] : [sliceOfPolicy(policies[id])]))),
  // What is only tried out decides nothing.
  shadowPolicies: NOBODY,
  capabilities: (before, after) => [
    slice(
      'capabilities',
      differing(
        before.capabilities,
        after.capabilities,
        ({ name }) => name,
        (entry) => entry,
      ),
    ),
  ],
  agents: (before, after) => [
    slice(
      'agents',
      differing(
        before.agents,
        after.agents,
        ({ id }) => id,
        ({ quotas: _quotas, ...agent }) => agent,
      ),
    ),
  ],
  // An owner who left takes his agents' permits along, an initiator those of his tasks.
  offboarded: (before, after) => {
    const left = differing(
      before.offboarded,
      after.offboarded,
      (id) => id,
      (id) => id,
    );
    const orphans = [...before.agents, ...after.agents].filter(({ owner }) => left.includes(owner));
    return [
      slice('initiators', left),
      slice(
        'agents',
        orphans.map(({ id }) => id),
      ),
    ];
  },
  transmitters: NOBODY,
  orchestrators: (before, after) => [
    slice(
      'sources',
      differing(
        before.orchestrators,
        after.orchestrators,
        ({ source }) => source,
        ({ tenant }) => tenant,
      ),
    ),
    ...after.orchestrators.map((orchestrator) => workflowsOf(before.orchestrator(orchestrator.source), orchestrator)),
  ],
};

/**
 * Compares two sets.
 * @returns slices of all live grants, so that every question outside of them has the same answer by both sets at the same moment
 */
export const whatChanged = (before: PolicySet, after: PolicySet): Affected =>
  joined(Object.values(COMPARISONS).flatMap((compare) => compare(before, after)));

function workflowsOf(before: Orchestrator | undefined, { source, workflows }: Orchestrator): Affected {
  const names = before
    ? differing(
        before.workflows,
        workflows,
        ({ name }) => name,
        (workflow) => workflow,
      )
    : [];
  return names.length === 0 ? [] : [{ sources: [source], workflows: names }];
}

const slice = (field: SliceField, names: readonly string[]): Affected => (names.length === 0 ? [] : [{ [field]: names }]);

/** Names of what is in one list only, or means something else in the other. */
function differing<T>(before: readonly T[], after: readonly T[], nameOf: (item: T) => string, meaning: (item: T) => unknown): string[] {
  const [old, now] = [before, after].map((list) => new Map(list.map((item) => [nameOf(item), canonicalJson(meaning(item))])));
  return [...new Set([...old!.keys(), ...now!.keys()])].filter((name) => old!.get(name) !== now!.get(name));
}

/** Layout and comments decide nothing. */
function meaningOf(text: string): unknown {
  const read = policyToJson(text);
  return read.type === 'success' ? read.json : text;
}

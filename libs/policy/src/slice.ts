/**
 * Parts of all tasks: who may be touched by a change, said in terms that a ledger has columns for.
 * @module
 */
import { canonicalJson, type TaskFacts } from '@mayfly/domain';

/** What a slice can name. */
export const SLICE_FIELDS = ['agents', 'sources', 'workflows', 'tenants', 'initiators', 'capabilities'] as const;
/** One of {@link SLICE_FIELDS}. */
export type SliceField = (typeof SLICE_FIELDS)[number];

/** Everything that matches each field that is there; a field lists alternatives. */
export type Slice = { readonly [Field in SliceField]?: readonly string[] };

/** Which questions about live grants may have another answer now. */
export type Affected = 'all' | readonly Slice[];

/** True when the answer about this capability for this task may be another one. */
export const affects = (affected: Affected, task: TaskFacts, capability: string): boolean =>
  affected === 'all' || affected.some((slice) => isIn(slice, task, capability));

function isIn(slice: Slice, { agent, source, workflow, tenant, initiator }: TaskFacts, capability: string): boolean {
  const own: Readonly<Record<SliceField, string | undefined>> = {
    agents: agent,
    sources: source,
    workflows: workflow,
    tenants: tenant,
    initiators: initiator?.id,
    capabilities: capability,
  };
  return SLICE_FIELDS.every((field) => slice[field]?.includes(own[field] ?? NOBODY) ?? true);
}

/** No name is empty. */
const NOBODY = '';

/** All of them together; slices that differ in one field only become one. */
export function joined(parts: readonly Affected[]): Affected {
  let slices: Slice[] = [];
  for (const part of parts) {
    if (part === 'all') return 'all';
    slices.push(...part);
  }
  for (const field of SLICE_FIELDS) slices = mergedOver(field, slices);
  return slices;
}

function mergedOver(field: SliceField, slices: readonly Slice[]): Slice[] {
  const alike = Map.groupBy(slices, ({ [field]: names, ...rest }) => canonicalJson([names !== undefined, rest]));
  return [...alike.values()].map((group) => {
    const [first] = group as [Slice, ...Slice[]];
    return first[field] ? { ...first, [field]: [...new Set(group.flatMap((slice) => slice[field] ?? []))].sort() } : first;
  });
}

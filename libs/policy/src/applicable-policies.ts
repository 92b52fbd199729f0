/**
 * The policies that can apply to a question, out of many.
 * @module
 */
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarRequest } from './cedar-request.js';
import { joinedReads, readsOfPolicy, type Reads } from './reads-of-policy.js';
import { scopeOfPolicy, type PolicyScope } from './scope-of-policy.js';

/** Some policies by their ids, each with its text, and what they look at. The same ones are the same object. */
export interface Policies {
  readonly texts: Readonly<Record<string, string>>;
  readonly reads: Reads;
}

interface Scoped extends PolicyScope {
  readonly id: string;
  readonly text: string;
  readonly reads: Reads;
}

/** Bounds the memory of what was found before. */
const MOST_REMEMBERED = 10_000;

/** Finds policies by their scope and by the plain comparisons with which they begin. */
export class ApplicablePolicies {
  /** All of them. */
  readonly all: Policies;
  readonly #scoped: readonly Scoped[];
  /** For each part of a question, what any policy names there: questions that differ only in what nobody names are alike. */
  readonly #named: readonly ReadonlySet<string>[];
  readonly #found = new Map<string, Policies>();
  readonly #bySelection = new Map<string, Policies>();

  constructor(texts: Readonly<Record<string, string>>) {
    this.#scoped = Object.entries(texts).map(([id, text]) => ({ id, text, ...read(text) }));
    this.#named = PARTS.map(({ namedBy }) => new Set(this.#scoped.flatMap((policy) => namedBy(policy) ?? [])));
    this.all = this.#together(this.#scoped);
  }

  /** Leaves out only what neither applies to this question nor fails on it. */
  to(request: CedarRequest): Policies {
    const asked = PARTS.map(({ askedBy }, part) => {
      const name = askedBy(request);
      return this.#named[part]!.has(name) ? name : NOBODY;
    });
    const key = JSON.stringify(asked);
    const known = this.#found.get(key);
    if (known) return known;
    const found = this.#together(
      this.#scoped.filter((policy) => PARTS.every(({ namedBy }, part) => namedBy(policy)?.includes(asked[part]!) ?? true)),
    );
    const [oldest] = this.#found.keys();
    if (this.#found.size >= MOST_REMEMBERED && oldest !== undefined) this.#found.delete(oldest);
    this.#found.set(key, found);
    return found;
  }

  #together(policies: readonly Scoped[]): Policies {
    const selection = JSON.stringify(policies.map(({ id }) => id));
    const known = this.#bySelection.get(selection);
    if (known) return known;
    const together = {
      texts: Object.fromEntries(policies.map(({ id, text }) => [id, text])),
      reads: joinedReads(policies.map(({ reads }) => reads)),
    };
    if (this.#bySelection.size >= MOST_REMEMBERED) this.#bySelection.clear();
    this.#bySelection.set(selection, together);
    return together;
  }
}

/** Stands for every name that no policy has. */
const NOBODY = '';
const nameOf = ({ type, id }: { readonly type: string; readonly id: string }): string => `${type}::${id}`;
const inContext =
  (field: string) =>
  ({ context }: CedarRequest) =>
    context[field] as string;

/** A part of a question by which policies can be told apart: what a policy names there, and what is asked. */
interface Part {
  readonly namedBy: (policy: PolicyScope) => readonly string[] | undefined;
  readonly askedBy: (request: CedarRequest) => string;
}
const PARTS: readonly Part[] = [
  { namedBy: ({ principal }) => principal && [nameOf(principal)], askedBy: ({ principal }) => nameOf(principal) },
  { namedBy: ({ actions }) => actions, askedBy: ({ action }) => action.id },
  { namedBy: ({ resource }) => resource && [nameOf(resource)], askedBy: ({ resource }) => nameOf(resource) },
  { namedBy: ({ said }) => said.workflows, askedBy: inContext('workflow') },
  { namedBy: ({ said }) => said.sources, askedBy: inContext('source') },
  { namedBy: ({ said }) => said.tenants, askedBy: inContext('tenant') },
  {
    namedBy: ({ said }) => said.initiators,
    askedBy: ({ context }) => (context['initiator'] as { __entity: { id: string } } | undefined)?.__entity.id ?? NOBODY,
  },
];

function read(text: string): PolicyScope & { readonly reads: Reads } {
  const policy = policyToJson(text);
  // What cannot be read applies to everything, and looks at everything.
  if (policy.type === 'failure') return { said: {}, reads: { context: 'all', entities: true } };
  return { ...scopeOfPolicy(policy.json), reads: readsOfPolicy(policy.json) };
}

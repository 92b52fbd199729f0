/**
 * Whom a security event names (RFC 9493 subject identifiers, and the complex ones of SSF), in Mayfly's words.
 * @module
 */
import { z } from 'zod';
import { RejectedEvent } from './rejected-event.js';

/** Every field that is there narrows; a field lists the names that one and the same may go by. */
export interface EventSubject {
  /** Task ids: a session of an agent is a task. */
  readonly tasks?: readonly string[];
  /** Workload identities. */
  readonly agents?: readonly string[];
  readonly initiators?: readonly string[];
  readonly tenants?: readonly string[];
}

const text = z.string().min(1).max(2048);
const identifier = z.discriminatedUnion('format', [
  z.looseObject({ format: z.literal('email'), email: text }),
  z.looseObject({ format: z.literal('iss_sub'), iss: text, sub: text }),
  z.looseObject({ format: z.literal('opaque'), id: text }),
  z.looseObject({ format: z.literal('account'), uri: text.startsWith('acct:') }),
  z.looseObject({ format: z.literal('uri'), uri: text }),
]);
const aliases = z.looseObject({
  format: z.literal('aliases'),
  identifiers: z
    .array(z.looseObject({ format: text }))
    .min(1)
    .max(16),
});
const KNOWN: readonly string[] = ['email', 'iss_sub', 'opaque', 'account', 'uri'];

/** Members of a complex subject that Mayfly has a word for. */
const MEMBERS = { user: 'initiators', session: 'tasks', application: 'agents', tenant: 'tenants' } as const;

/**
 * Reads `sub_id`.
 * @returns undefined for somebody whom Mayfly cannot know: a device, a group, a phone number
 * @throws RejectedEvent `invalid-set` for an identifier that lacks what its format needs
 */
export function namedBy(subjectId: unknown): EventSubject | undefined {
  const { format, ...members } = fits(z.looseObject({ format: text }), subjectId);
  if (format !== 'complex') {
    const names = namesOf(subjectId);
    return names && { [fieldOf(format, names)]: names };
  }
  const subject: Record<string, readonly string[]> = {};
  for (const [member, id] of Object.entries(members)) {
    const field = Object.hasOwn(MEMBERS, member) ? MEMBERS[member as keyof typeof MEMBERS] : undefined;
    const names = field && namesOf(id);
    // What narrows to a part that is not known here cannot be followed: without it, it would mean more than was said.
    if (!names) return undefined;
    subject[field] = names;
  }
  return Object.keys(subject).length > 0 ? subject : undefined;
}

/** By itself an opaque id is a session's, a SPIFFE ID an agent's, and all else a person's. */
const fieldOf = (format: string, [name]: readonly string[]): keyof EventSubject =>
  format === 'opaque' ? 'tasks' : name?.startsWith('spiffe://') ? 'agents' : 'initiators';

function namesOf(value: unknown): readonly string[] | undefined {
  const { format } = fits(z.looseObject({ format: text }), value);
  if (format === 'aliases') {
    const names = fits(aliases, value).identifiers.flatMap((one) => (one.format === 'aliases' ? [] : (namesOf(one) ?? [])));
    return names.length > 0 ? names : undefined;
  }
  if (!KNOWN.includes(format)) return undefined;
  const id = fits(identifier, value);
  switch (id.format) {
    case 'email':
      return [id.email];
    case 'iss_sub':
      // The form that agents of OIDC issuers are registered under, and the bare subject.
      return [`${id.iss}#${id.sub}`, id.sub];
    case 'opaque':
      return [id.id];
    case 'account':
      return [id.uri.slice('acct:'.length)];
    case 'uri':
      return [id.uri];
  }
}

function fits<T>(form: z.ZodType<T>, value: unknown): T {
  const { data, success } = form.safeParse(value);
  if (!success) throw new RejectedEvent('invalid-set', 'sub_id is no subject identifier of RFC 9493, or lacks what its format needs');
  return data;
}

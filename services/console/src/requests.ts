/**
 * What operators may send, checked for form.
 * @module
 */
import { InvalidRequest } from '@mayfly/domain';
import { z } from 'zod';
import { readCursor } from './cursor.js';

/** What the ledger can keep: PostgreSQL has neither NUL nor half a surrogate pair. */
const storable = z.string().refine((value) => value.isWellFormed() && !value.includes('\u0000'));
const text = storable.min(1).max(500);
const grantQuery = z.strictObject({
  state: z.enum(['requested', 'denied', 'pending', 'granted', 'closing', 'closed']).optional(),
  agent: text.optional(),
  initiator: text.optional(),
  capability: text.optional(),
  workflow: text.optional(),
  tenant: text.optional(),
  taskId: text.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: text.optional(),
});
const logQuery = z.strictObject({
  from: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(500),
});
const policyBody = z.strictObject({ files: z.record(z.string(), storable) });
const selector = z.strictObject({
  taskId: text.optional(),
  agent: text.optional(),
  initiator: text.optional(),
  capability: text.optional(),
  workflow: text.optional(),
  tenant: text.optional(),
});
const revocationBody = z.strictObject({ selector, reason: text, dryRun: z.boolean().default(false) });

/** Query of `GET /v1/grants`. @throws InvalidRequest */
export function readGrantQuery(query: unknown) {
  const { cursor, ...filter } = read(grantQuery, query);
  return { ...filter, after: cursor === undefined ? undefined : readCursor(cursor) };
}
/** Query of `GET /v1/evidence`. @throws InvalidRequest */
export const readLogQuery = (query: unknown) => read(logQuery, query);
/** Body of `POST /v1/policies`: path to text. @throws InvalidRequest */
export const readPolicyBody = (body: unknown) => read(policyBody, body).files;
/** Body of `POST /v1/revocations`. @throws InvalidRequest */
export const readRevocationBody = (body: unknown) => read(revocationBody, body);

function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  let parsed: z.ZodSafeParseResult<z.infer<Schema>>;
  try {
    parsed = schema.safeParse(value);
  } catch {
    // A value whose length cannot be compared makes the library throw instead of reporting.
    throw new InvalidRequest('the request has a field of the wrong type');
  }
  if (parsed.success) return parsed.data;
  const fields = [
    ...new Set(
      parsed.error.issues.map((issue) => issue.path.join('.') || (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : 'the body')),
    ),
  ];
  throw new InvalidRequest(`these are missing, unknown or wrong: ${fields.join(', ')}`);
}

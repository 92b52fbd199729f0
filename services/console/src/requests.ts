/**
 * What operators may send, checked for form.
 * @module
 */
import { InvalidRequest, isOrderId, type OrderId } from '@mayfly/domain';
import { SELECTOR_FIELDS, type Selector, type SelectorField } from '@mayfly/grant';
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
const policyDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const files = z.record(z.string(), storable);
const signature = storable.min(1).max(16_384);
const policyBody = z.strictObject({ files, signature: signature.optional(), expected: policyDigest.nullable().optional() });
const planBody = z
  .strictObject({ files: files.optional(), policyDigest: policyDigest.optional(), days: z.int().min(0).max(366).default(7) })
  .refine((body) => (body.files === undefined) !== (body.policyDigest === undefined), { path: ['files', 'policyDigest'] });
const rollbackBody = z.strictObject({ policyDigest: policyDigest.optional(), reason: text });
const listQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(200).default(50) });
const selector = z
  .strictObject(
    Object.fromEntries(SELECTOR_FIELDS.map((field) => [field, text.optional()])) as Record<SelectorField, z.ZodOptional<z.ZodString>>,
  )
  .transform((given) =>
    SELECTOR_FIELDS.flatMap((field): Selector[] => (given[field] === undefined ? [] : [{ field, value: given[field] }])),
  );
const reinstatementBody = z.strictObject({ reason: text });
const revocationBody = z.strictObject({ selector, reason: text, dryRun: z.boolean().default(false) });

/** Query of `GET /v1/grants`. @throws InvalidRequest */
export function readGrantQuery(query: unknown) {
  const { cursor, ...filter } = read(grantQuery, query);
  return { ...filter, after: cursor === undefined ? undefined : readCursor(cursor) };
}
/** Query of `GET /v1/evidence`. @throws InvalidRequest */
export const readLogQuery = (query: unknown) => read(logQuery, query);
/** Query of `GET /v1/policies` and `GET /v1/revocations`. @throws InvalidRequest */
export const readListQuery = (query: unknown) => read(listQuery, query).limit;
/** Body of `POST /v1/policies`: path to text, and who stands behind it. @throws InvalidRequest */
export const readPolicyBody = (body: unknown) => read(policyBody, body);
/** Body of `POST /v1/policies/plan`. @throws InvalidRequest */
export const readPlanBody = (body: unknown) => read(planBody, body);
/** Body of `POST /v1/policies/rollback`. @throws InvalidRequest */
export const readRollbackBody = (body: unknown) => read(rollbackBody, body);

/** Body of `POST /v1/tasks/{taskId}/reinstate`. @throws InvalidRequest */
export const readReinstatementBody = (body: unknown) => read(reinstatementBody, body);
/** Body of `POST /v1/revocations`. @throws InvalidRequest */
export function readRevocationBody(body: unknown) {
  const { selector: named, ...rest } = read(revocationBody, body);
  const [only] = named;
  if (!only || named.length > 1) throw new InvalidRequest(`a selector names exactly one of ${SELECTOR_FIELDS.join(', ')}`);
  return { selector: only, ...rest };
}

/** The id of a kill switch. @throws InvalidRequest */
export function orderId(text: string): OrderId {
  if (!isOrderId(text)) throw new InvalidRequest('the id of a kill switch is what POST /v1/revocations gave');
  return text;
}

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

/**
 * Identifiers. A branded string can only be made by the function that checks it, so an id that
 * reached the inside of the system is known to be well formed.
 * @module
 */
import { createHash, randomFillSync } from 'node:crypto';
import { InvalidRequest } from './errors.js';

declare const brand: unique symbol;
/** A string that has been checked to be a `Name`. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Names one run of one piece of work for ever; a retry is a new task id. */
export type TaskId = Branded<'TaskId'>;
/** Mayfly's own id of one grant: `g` and 20 characters of base32. Safe in a database user name. */
export type GrantId = Branded<'GrantId'>;
/** Opaque public id of one lease: `l` and 20 characters of base32. Resolvable by Mayfly only. */
export type LeaseRef = Branded<'LeaseRef'>;
/** Id of one policy decision: `d` and 20 characters of base32. */
export type DecisionId = Branded<'DecisionId'>;

const TASK_ID = /^[A-Za-z0-9._:-]{1,200}$/;

/** True when the text is a task id: 1–200 characters of `[A-Za-z0-9._:-]`, and no `..` (it would climb a path). */
export const isTaskId = (text: string): text is TaskId => TASK_ID.test(text) && !text.includes('..');

/**
 * Checks a task id.
 * @throws InvalidRequest when it is not one.
 */
export function taskId(text: string): TaskId {
  if (!isTaskId(text)) throw new InvalidRequest('a task id is 1 to 200 characters of A-Z a-z 0-9 . _ : - without ".."');
  return text;
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LENGTH = 20;
/** Random bytes that nobody has had yet, up to the end: asking for them costs more than they do. */
const bytes = Buffer.alloc(LENGTH * 100);
let used = bytes.length;

/** 100 random bits as 20 characters of lower-case base32 (RFC 4648 alphabet). */
function random(): string {
  if (used === bytes.length) {
    randomFillSync(bytes);
    used = 0;
  }
  let text = '';
  for (const end = used + LENGTH; used < end; used += 1) text += ALPHABET[bytes[used]! & 31];
  return text;
}

const GRANT_ID = /^g[a-z2-7]{20}$/;
/** True when the text is a grant id. */
export const isGrantId = (text: string): text is GrantId => GRANT_ID.test(text);

/** A new grant id. */
export const newGrantId = (): GrantId => `g${random()}` as GrantId;
/** A new lease reference. */
export const newLeaseRef = (): LeaseRef => `l${random()}` as LeaseRef;
/** A new decision id. */
export const newDecisionId = (): DecisionId => `d${random()}` as DecisionId;
/** Id of one kill switch: `o` and 20 characters of base32. */
export type OrderId = Branded<'OrderId'>;
const ORDER_ID = /^o[a-z2-7]{20}$/;
/** True when the text is the id of a kill switch. */
export const isOrderId = (text: string): text is OrderId => ORDER_ID.test(text);
/** A new id of a kill switch. */
export const newOrderId = (): OrderId => `o${random()}` as OrderId;
/** A new event id (CloudEvents `id`). */
export const newEventId = (): string => `e${random()}`;

/** SHA-256 as `sha256:` and lower-case hex, the form every digest has in events and evidence. */
export const sha256 = (bytes: string | Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

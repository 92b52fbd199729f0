/**
 * Forms of single fields, used by every format.
 * @module
 */
import { isTaskId } from '@mayfly/domain';
import type { TaskId } from '@mayfly/domain';
import { z } from 'zod';
import { RejectedEvent } from './rejected-event.js';

/** A task id. A text that is none has a reason of its own, so that orchestrators see it at once. */
export const taskIdForm = z.string().transform((text): TaskId => {
  if (isTaskId(text)) return text;
  throw new RejectedEvent('invalid-task-id', 'a task id is 1 to 200 characters of A-Z a-z 0-9 . _ : - without ".."');
});

/** A name or an identity on one line: no control, format or separator characters, no `..`. */
export const line = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must be one line of visible characters')
    .refine((text) => !text.includes('..'), 'must not contain ".."');

/** Text for people: several lines, but nothing that could redraw a terminal. */
export const prose = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$/u, 'must not contain control characters');

/** RFC 3339 with a zone. */
export const time = z
  .string()
  .max(64)
  .toUpperCase()
  .pipe(z.iso.datetime({ offset: true }))
  .transform((text) => new Date(text));

/** 0 to 100. Rounded up: policies compare whole numbers, and a higher risk is the safer reading. */
export const risk = z
  .number()
  .min(0)
  .max(100)
  .transform((value) => Math.ceil(value) + 0);

/**
 * Checks data by a form.
 * @throws RejectedEvent `invalid-data` that names the field, never its content
 */
export function fit<T>(form: z.ZodType<T>, data: unknown): T {
  const result = attempt(form, data);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = ['data', ...(issue?.path ?? [])].join('.');
  throw new RejectedEvent('invalid-data', `${field}: ${issue?.message ?? 'not as expected'}`);
}

/** zod compares the `length` even of what is neither text nor list, and an object in its place makes that throw. */
function attempt<T>(form: z.ZodType<T>, data: unknown): z.ZodSafeParseResult<T> {
  try {
    return form.safeParse(data);
  } catch (error) {
    if (error instanceof RejectedEvent) throw error;
    throw new RejectedEvent('invalid-data', 'data: a field has the wrong type');
  }
}

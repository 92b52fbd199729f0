/**
 * Bodies of `/access/v1/evaluation` and `/access/v1/evaluations` (AuthZEN 1.0). What is not known is ignored, as the standard has it; what is
 * required and missing is refused.
 * @module
 */
import { InvalidRequest, isTaskId, type TaskId } from '@mayfly/domain';
import type { UsageReport } from '@mayfly/store';
import { z } from 'zod';
import { SEMANTICS, type Asked, type Semantic } from './question.js';

/** Most questions of one request. */
export const MOST_QUESTIONS = 64;

/** On one line, and something that a ledger can keep: no control characters, no half characters. */
const text = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value));
const count = z.int().min(0).default(0);

const context = z.object({
  taskId: z.string().refine(isTaskId),
  tool: text(500),
  host: text(500).optional(),
  usage: z.object({ rows: count, bytes: count }).optional(),
});
const question = z.object({
  subject: z.object({ type: text(100), id: text(2_100) }),
  action: z.object({ name: text(500) }),
  resource: z.object({ type: text(100), id: text(500) }),
  context,
});

/** Questions of one request, and what to do with the answers. */
export interface Questions {
  readonly asked: readonly Asked[];
  readonly semantic: Semantic;
  /** What the calls before these have used, once however many of the questions have it from their defaults. */
  readonly used: readonly (UsageReport & { readonly taskId: TaskId })[];
}

/** The one question of a body. @throws InvalidRequest */
export function oneQuestion(body: unknown): Questions {
  const whole = objectOf(body);
  const asked = read(whole);
  if ('error' in asked) throw new InvalidRequest(asked.error.message);
  return { asked: [asked], semantic: 'execute_all', used: usedIn([whole]) };
}

/**
 * The questions of a body; its own fields are what each question has that says nothing else. Undefined where it has no list of questions:
 * it is a single one then.
 * @throws InvalidRequest
 */
export function manyQuestions(body: unknown): Questions | undefined {
  const { evaluations = [], options = {}, ...defaults } = objectOf(body);
  if (!Array.isArray(evaluations)) throw new InvalidRequest('evaluations: must be a list');
  if (evaluations.length > MOST_QUESTIONS) throw new InvalidRequest(`evaluations: at most ${MOST_QUESTIONS} in one request`);
  const semantic = semanticOf(options);
  if (evaluations.length === 0) return undefined;
  const whole = evaluations.map((each: unknown) => (isObject(each) ? { ...defaults, ...each } : each));
  return { asked: whole.map(read), semantic, used: usedIn(whole) };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(body)) throw new InvalidRequest('the body must be an object with subject, action, resource and context');
  return body;
}

function semanticOf(options: unknown): Semantic {
  if (!isObject(options)) throw new InvalidRequest('options: must be an object');
  const { evaluations_semantic: wanted = 'execute_all' } = options;
  const semantic = SEMANTICS.find((each) => each === wanted);
  if (!semantic) throw new InvalidRequest(`options.evaluations_semantic: must be one of ${SEMANTICS.join(', ')}`);
  return semantic;
}

function read(whole: unknown): Asked {
  const { data, field } = fit(question, whole);
  if (!data) return { error: { status: 400, message: `${field ?? 'the evaluation'}: is missing or not as expected` } };
  const { subject, action, resource, context } = data;
  const call = { tool: context.tool, verb: action.name, resource, ...(context.host !== undefined && { host: context.host }) };
  return { subject, taskId: context.taskId, call };
}

function usedIn(wholes: readonly unknown[]): Questions['used'] {
  const contexts = new Set(wholes.map((whole) => (isObject(whole) ? whole['context'] : undefined)));
  return [...contexts].flatMap((each) => {
    if (!isObject(each) || each['usage'] === undefined) return [];
    const { data } = fit(context, each);
    return data?.usage ? [{ taskId: data.taskId, ...data.usage }] : [];
  });
}

/** What is of this form, or the first field that is not. */
function fit<T>(form: z.ZodType<T>, value: unknown): { readonly data?: T; readonly field?: string | undefined } {
  try {
    const { data, error } = form.safeParse(value);
    return data === undefined ? { field: error?.issues[0]?.path.join('.') || undefined } : { data };
  } catch {
    // A value whose length cannot be compared makes the library throw instead of reporting.
    return {};
  }
}

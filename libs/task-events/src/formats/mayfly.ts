/**
 * Mayfly's own task events (public contract, section 2).
 * @module
 */
import { IN_EVENTS } from '@mayfly/domain';
import type { TaskEnd, TaskStart } from '@mayfly/domain';
import { z } from 'zod';
import { fit, line, prose, risk, taskIdForm, time } from '../forms.js';
import type { TaskContent } from '../messages.js';

const initiator = z.object({
  id: line(512),
  // Who is only named is taken for a person: the reading that holds somebody to account.
  kind: z.enum(['human', 'service']).default('human'),
});
const step = z.object({ tool: line(200), action: line(200), resource: line(1024), host: line(255).exactOptional() });
const request = z.object({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'is 1 to 100 characters of A-Z a-z 0-9 . _ -')
    .refine((name) => !/^\.+$|\.\./.test(name), 'must not be or contain dots that climb a path'),
  capability: line(128),
  ttlSeconds: z.int().positive().exactOptional(),
});

/** Data of `dev.mayfly.task.started.v1`. Unknown fields are ignored, wrong types are not. */
export const startedForm: z.ZodType<TaskStart> = z
  .object({
    taskId: taskIdForm,
    parentTaskId: taskIdForm.exactOptional(),
    workflow: z.object({ name: line(200), version: line(100).exactOptional() }),
    agent: z.object({ id: line(2048) }),
    initiator: initiator.exactOptional(),
    intent: z.object({
      purpose: prose(4000).min(1),
      dataClass: line(64).exactOptional(),
      plan: z.array(step).max(256).default([]),
    }),
    credentials: z
      .array(request)
      .min(1)
      .max(32)
      .refine((requests) => new Set(requests.map(({ name }) => name)).size === requests.length, 'names must be unique'),
    deadline: time.exactOptional(),
    risk: risk.default(0),
    attempt: z.int().min(1).max(1000).exactOptional(),
  })
  .refine(({ taskId, parentTaskId }) => taskId !== parentTaskId, { path: ['parentTaskId'], message: 'must be another task' });

const endedForm: z.ZodType<TaskEnd> = z.object({
  taskId: taskIdForm,
  outcome: z.enum(['succeeded', 'failed', 'cancelled', 'timed_out']),
  reason: prose(2000).exactOptional(),
});
const heartbeatForm = z.object({ taskId: taskIdForm });

/** Readers of Mayfly's own event types. */
export const MAYFLY_TASK_EVENTS: ReadonlyMap<string, (data: unknown) => TaskContent> = new Map([
  [IN_EVENTS.taskStarted, (data: unknown): TaskContent => ({ kind: 'started', task: fit(startedForm, data) })],
  [IN_EVENTS.taskEnded, (data: unknown): TaskContent => ({ kind: 'ended', end: fit(endedForm, data) })],
  [IN_EVENTS.taskHeartbeat, (data: unknown): TaskContent => ({ kind: 'heartbeat', ...fit(heartbeatForm, data) })],
]);

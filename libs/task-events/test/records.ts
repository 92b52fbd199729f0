import type { EventRecord } from '@mayfly/task-events';

/** Data of a start that is right in every field. */
export const startData = (changes: object = {}): Record<string, unknown> => ({
  taskId: 'etl-0042',
  parentTaskId: 'plan-0007',
  workflow: { name: 'nightly-etl', version: '7' },
  agent: { id: 'spiffe://example.org/agent/etl' },
  initiator: { id: 'alice@example.org', kind: 'human' },
  intent: {
    purpose: 'refresh the sales mart',
    dataClass: 'internal',
    plan: [{ tool: 'sql.query', action: 'read', resource: 'orders', host: 'db.example.org' }],
  },
  credentials: [{ name: 'orders', capability: 'orders-db.read', ttlSeconds: 900 }],
  deadline: '2026-11-22T11:00:00Z',
  risk: 12,
  attempt: 2,
  ...changes,
});

export const STARTED = 'dev.mayfly.task.started.v1';
export const ENDED = 'dev.mayfly.task.ended.v1';

/** A structured-mode event. */
export const event = (data: unknown, changes: object = {}): Record<string, unknown> => ({
  specversion: '1.0',
  id: 'e1',
  source: 'urn:example:orchestrator',
  type: STARTED,
  data,
  ...changes,
});

/** A record with a value as it is, in structured mode unless headers say otherwise. */
export const raw = (value: Buffer | string | null, rest: Partial<EventRecord> = {}): EventRecord => ({
  key: null,
  headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
  value: typeof value === 'string' ? Buffer.from(value) : value,
  ...rest,
});

/** A structured-mode record. */
export const structured = (data: unknown, changes: object = {}, rest: Partial<EventRecord> = {}): EventRecord =>
  raw(JSON.stringify(event(data, changes)), rest);

/** A binary-mode record. */
export const binary = (data: unknown, headers: EventRecord['headers'] = {}): EventRecord =>
  raw(JSON.stringify(data), {
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: Buffer.from('e1'),
      ce_source: 'urn:example:orchestrator',
      ce_type: STARTED,
      ...headers,
    },
  });

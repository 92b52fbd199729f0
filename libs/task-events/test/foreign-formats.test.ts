import { describe, expect, test } from '@jest/globals';
import { readTaskEvent } from '@mayfly/task-events';
import { raw, startData, structured } from './records.js';

const { taskId: _, workflow: __, parentTaskId: ___, ...asked } = startData();
const RUN = '41fb5137-f0fd-4ee5-ba5c-56f8571d1bd7';

const cdevent = (stage: string, content: object, customData?: object) => {
  const type = `dev.cdevents.taskrun.${stage}`;
  const context = { specversion: '0.5.0', id: 'e1', source: 'urn:example:orchestrator', type, timestamp: '2026-11-22T10:00:00Z' };
  return structured({ context, subject: { id: 'run-1', content }, customData }, { type });
};
const lineage = (eventType: string | undefined, facets?: object) =>
  raw(
    JSON.stringify({
      eventTime: '2026-11-22T10:00:00.1Z',
      eventType,
      producer: 'https://github.com/apache/airflow',
      schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent',
      run: { runId: RUN, facets },
      job: { namespace: 'airflow prod', name: 'mart.refresh' },
    }),
    { key: 'run:airflow/mart', headers: {} },
  );

describe('CDEvents taskRun', () => {
  test.each(['0.2.0', '0.3.0'])('starts a task with what customData.mayfly asks for, version %s', (version) => {
    expect(readTaskEvent(cdevent(`started.${version}`, { taskName: 'nightly-etl' }, { mayfly: asked }))).toMatchObject({
      kind: 'started',
      task: { taskId: 'run-1', workflow: { name: 'nightly-etl' }, credentials: [{ name: 'orders' }] },
    });
  });
  test.each([
    ['success', 'succeeded'],
    ['failure', 'failed'],
    ['error', 'failed'],
    ['cancel', 'cancelled'],
    [undefined, 'failed'],
  ])('ends a task: %s is %s', (outcome, expected) => {
    expect(readTaskEvent(cdevent('finished.0.3.0', { outcome }))).toMatchObject({
      kind: 'ended',
      end: { taskId: 'run-1', outcome: expected },
    });
  });
  test('cannot smuggle another task id in', () => {
    expect(readTaskEvent(cdevent('started.0.3.0', {}, { mayfly: startData({ taskId: 'other', parentTaskId: undefined }) }))).toMatchObject({
      task: { taskId: 'run-1' },
    });
  });
  test('that asks for nothing is told apart from a wrong one', () => {
    expect(() => readTaskEvent(cdevent('started.0.3.0', { taskName: 'x' }))).toThrow(expect.objectContaining({ reason: 'nothing-asked' }));
  });
  test('that contradicts its envelope is refused', () => {
    const type = 'dev.cdevents.taskrun.finished.0.3.0';
    const data = { context: { id: 'e2', source: 's', type }, subject: { id: 'run-1', content: {} } };
    expect(() => readTaskEvent(structured(data, { type }))).toThrow(expect.objectContaining({ reason: 'contradiction' }));
  });
});

describe('OpenLineage run events', () => {
  test('START starts a task with what the mayfly facet asks for', () => {
    expect(readTaskEvent(lineage('START', { mayfly: asked }))).toMatchObject({
      kind: 'started',
      envelope: { source: 'urn:openlineage:airflow%20prod', type: 'io.openlineage.run.start', time: new Date('2026-11-22T10:00:00.1Z') },
      task: { taskId: RUN, workflow: { name: 'mart.refresh' } },
    });
  });
  test.each([
    ['COMPLETE', 'succeeded'],
    ['FAIL', 'failed'],
    ['ABORT', 'cancelled'],
  ])('%s ends a task as %s', (eventType, outcome) => {
    expect(readTaskEvent(lineage(eventType))).toMatchObject({ kind: 'ended', end: { taskId: RUN, outcome } });
  });
  test('RUNNING is a heartbeat', () => {
    expect(readTaskEvent(lineage('RUNNING'))).toMatchObject({ kind: 'heartbeat', taskId: RUN });
  });
  test.each([
    ['OTHER', 'unknown-type'],
    [undefined, 'unknown-type'],
    ['START', 'nothing-asked'],
    ['BEGIN', 'invalid-data'],
  ])('%s alone is refused: %s', (eventType, reason) => {
    expect(() => readTaskEvent(lineage(eventType))).toThrow(expect.objectContaining({ reason }));
  });
});

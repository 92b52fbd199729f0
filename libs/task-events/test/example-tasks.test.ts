import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { readTaskEvent } from '@mayfly/task-events';
import { structured } from './records.js';

test.each([
  ['etl', 'spiffe://example.org/agent/etl', 5],
  ['reporter', 'spiffe://example.org/agent/reporter', 3],
])('the example task %s is a good start', async (name, id, count) => {
  const data: unknown = JSON.parse(await readFile(`deploy/policies/example/tasks/${name}.json`, 'utf8'));
  const message = readTaskEvent(structured(data));
  expect(message).toMatchObject({ kind: 'started', task: { agent: { id } } });
  expect(message.kind === 'started' && message.task.credentials).toHaveLength(count);
});

import { describe, expect, test } from '@jest/globals';
import { taskId, type TaskStart } from '@mayfly/domain';
import { SELECTOR_FIELDS, selects, type SelectorField } from '@mayfly/grant';

const TENANT = 'acme';
const task: TaskStart = {
  taskId: taskId('etl-0042'),
  workflow: { name: 'nightly-etl' },
  agent: { id: 'spiffe://example.org/agent/etl' },
  initiator: { id: 'jane', kind: 'human' },
  intent: { purpose: 'test', plan: [] },
  credentials: [
    { name: 'orders', capability: 'orders-db.read' },
    { name: 'mail', capability: 'mail.send' },
  ],
  risk: 0,
};
const VALUES: Record<SelectorField, readonly string[]> = {
  taskId: ['etl-0042'],
  agent: ['spiffe://example.org/agent/etl'],
  initiator: ['jane'],
  capability: ['orders-db.read', 'mail.send'],
  workflow: ['nightly-etl'],
  tenant: [TENANT],
};

describe.each(SELECTOR_FIELDS)('a kill switch by %s', (field) => {
  test('means the task with that value', () => {
    for (const value of VALUES[field]) expect(selects({ field, value }, task, TENANT)).toBe(true);
  });

  test('means no task that has the value in another place, or not at all', () => {
    const others = SELECTOR_FIELDS.filter((other) => other !== field).flatMap((other) => VALUES[other]);
    for (const value of [...others, 'somebody-else', '']) expect(selects({ field, value }, task, TENANT)).toBe(false);
  });
});

test('a kill switch by initiator or capability passes a task that names none', () => {
  const { initiator: _, ...alone } = task;
  expect(selects({ field: 'initiator', value: 'jane' }, alone, TENANT)).toBe(false);
  expect(selects({ field: 'capability', value: 'mail.send' }, { ...task, credentials: [] }, TENANT)).toBe(false);
});

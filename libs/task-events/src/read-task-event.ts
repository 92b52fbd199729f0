/**
 * From a Kafka record to a task event, whatever format it has.
 * @module
 */
import { digestOf } from '@mayfly/domain';
import type { EventEnvelope } from '@mayfly/domain';
import { isCloudEvent, readCloudEvent } from './cloud-event.js';
import { CDEVENTS_TYPE, readTaskRun } from './formats/cdevents.js';
import { MAYFLY_TASK_EVENTS } from './formats/mayfly.js';
import { isRunEvent, readRunEvent } from './formats/openlineage.js';
import type { EventRecord, Origin, TaskContent, TaskMessage } from './messages.js';
import { openRecord } from './open-record.js';
import type { OpenedRecord } from './open-record.js';
import { RejectedEvent } from './rejected-event.js';
import { taskIdOf } from './task-id-of.js';

/**
 * Reads an event of the tasks topic: Mayfly's own, CDEvents taskRun, or an OpenLineage run event.
 * @throws RejectedEvent and nothing else, whatever the bytes are
 */
export function readTaskEvent(record: EventRecord): TaskMessage {
  const opened = openRecord(record);
  const { content, ...origin } = isCloudEvent(opened) || !isRunEvent(opened) ? readAsCloudEvent(opened) : readRunEvent(opened);
  return { ...content, ...origin, digest: digestOf(plain(content)) };
}

function readAsCloudEvent(opened: OpenedRecord): Omit<Origin, 'digest'> & { content: TaskContent } {
  const { data, ...origin } = readCloudEvent(opened);
  return { ...origin, content: contentOf(opened, origin.envelope, data) };
}

function contentOf(opened: OpenedRecord, envelope: EventEnvelope, data: unknown): TaskContent {
  const read = MAYFLY_TASK_EVENTS.get(envelope.type);
  if (read) {
    const content = read(data);
    checkKey(opened.key, taskIdOf(content));
    return content;
  }
  if (CDEVENTS_TYPE.test(envelope.type)) return readTaskRun(envelope, data);
  throw new RejectedEvent('unknown-type', 'no event of this type is read from this topic');
}

/** Only Mayfly's own events promise this: a foreign key says nothing about the task. */
function checkKey(key: string | null, taskId: string): void {
  if (key !== null && key !== taskId) throw new RejectedEvent('key-mismatch', 'the record key is not the task id');
}

const plain = (content: unknown): unknown => JSON.parse(JSON.stringify(content));

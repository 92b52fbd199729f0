/** Sends starts and ends of tasks in large batches, as an orchestrator that loses its nerve does. */
import type { EventProducer, OutgoingRecord } from '@mayfly/kafka';
import { stormTask, type Tenant } from './tenants.ts';

const TOPIC = 'mayfly.tasks';
const BATCH = 500;

export interface StormTask {
  readonly id: string;
  readonly tenant: Tenant;
}

export class Orchestrator {
  readonly #producer: EventProducer;

  constructor(producer: EventProducer) {
    this.#producer = producer;
  }

  start(tasks: readonly StormTask[], capability: string, topic = TOPIC): Promise<void> {
    return this.#send(topic, tasks, 'dev.mayfly.task.started.v1', ({ id, tenant }) => stormTask(tenant, id, capability));
  }

  end(tasks: readonly StormTask[], outcome = 'succeeded'): Promise<void> {
    return this.#send(TOPIC, tasks, 'dev.mayfly.task.ended.v1', ({ id }) => ({ taskId: id, outcome }));
  }

  async #send(
    topic: string,
    tasks: readonly StormTask[],
    type: string,
    dataOf: (task: StormTask) => Readonly<Record<string, unknown>>,
  ): Promise<void> {
    for (let from = 0; from < tasks.length; from += BATCH) {
      await this.#producer.send(
        topic,
        tasks.slice(from, from + BATCH).map((task) => recordOf(task, type, dataOf(task))),
      );
    }
  }
}

const recordOf = ({ id, tenant }: StormTask, type: string, data: Readonly<Record<string, unknown>>): OutgoingRecord => ({
  key: id,
  value: JSON.stringify({
    specversion: '1.0',
    id: `${id}-${type.split('.')[3]}`,
    source: tenant.source,
    type,
    time: new Date().toISOString(),
    subject: id,
    datacontenttype: 'application/json',
    data,
  }),
  headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
});

/**
 * What anyone on the out topics has read so far. Each record is parsed once.
 */
import type { World } from '../world/world.ts';

export class Published {
  readonly #world: World;
  readonly #said = new Set<string>();
  #read = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether an event of this type (`grant.closed`) was published about a task, or about a lease; `dead letter`: whether a record of the task was parked. */
  has(type: string, about: string): boolean {
    this.#catchUp();
    return this.#said.has(`${type} ${about}`);
  }

  #catchUp(): void {
    const { records } = this.#world;
    for (; this.#read < records.length; this.#read += 1) {
      const record = records[this.#read];
      if (!record || record.topic === 'mayfly.evidence') continue;
      if (record.topic === 'mayfly.deadletter') {
        this.#said.add(`dead letter ${record.key}`);
        continue;
      }
      const { type, data } = JSON.parse(record.value.toString()) as { type: string; data: { taskId: string; leaseRef?: string } };
      this.#said.add(`${type.replace(/^dev\.mayfly\.(.*)\.v1$/, '$1')} ${data.leaseRef ?? data.taskId}`);
    }
  }
}

/**
 * Waiting for a task's grant to change without polling.
 * @module
 */
import type { Database, Listener, Sql } from '@mayfly/postgres';
import { CHANNELS } from './channels.js';

/** Tells whoever waits for this task that something about it changed; sent when the transaction commits. */
export const announceTask = (tx: Sql, taskId: string): Promise<void> => announceTasks(tx, [taskId]);

/** The same for many tasks. */
export async function announceTasks(tx: Sql, taskIds: readonly string[]): Promise<void> {
  if (taskIds.length === 0) return;
  await tx.run('task.announce', `select pg_notify('${CHANNELS.task}', task) from unnest($1::text[]) as task`, [taskIds]);
}

/** Wakes waiters when a task changes. One connection for any number of waiters. */
export class TaskChanges {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #listener: Listener;

  constructor(database: Database) {
    this.#listener = database.listen(CHANNELS.task, (taskId) => (taskId ? this.#wake(taskId) : this.#wakeAll()));
  }

  /**
   * Looks, and looks again after every change of the task, until there is an answer or the time is over.
   * @param look undefined means "not yet"
   * @param milliseconds how long to wait at most
   */
  async until<T>(taskId: string, milliseconds: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
    const end = Date.now() + milliseconds;
    for (;;) {
      // Registered before looking, so that a change in between is not missed.
      const change = this.#next(taskId);
      try {
        const found = await look();
        const left = end - Date.now();
        if (found !== undefined || left <= 0) return found;
        await change.within(left);
      } finally {
        change.forget();
      }
    }
  }

  close(): Promise<void> {
    this.#wakeAll();
    return this.#listener.close();
  }

  #next(taskId: string): { within(milliseconds: number): Promise<void>; forget(): void } {
    let resolve: () => void = () => undefined;
    const changed = new Promise<void>((done) => (resolve = done));
    const waiters = this.#waiting.get(taskId) ?? new Set();
    this.#waiting.set(taskId, waiters.add(resolve));
    let timer: NodeJS.Timeout | undefined;
    return {
      within: (milliseconds) => Promise.race([changed, new Promise<void>((done) => (timer = setTimeout(done, milliseconds)))]),
      forget: () => {
        clearTimeout(timer);
        waiters.delete(resolve);
        if (waiters.size === 0) this.#waiting.delete(taskId);
      },
    };
  }

  #wake(taskId: string): void {
    for (const resolve of this.#waiting.get(taskId) ?? []) resolve();
  }

  #wakeAll(): void {
    for (const taskId of this.#waiting.keys()) this.#wake(taskId);
  }
}

/**
 * The oracle: the target itself. Looks at it all the time and remembers when each principal was last seen alive: its role may log in, or a
 * session of it is open. What Mayfly says about itself is never asked, except for which task a name belongs to.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openDatabase, type Database } from '@mayfly/postgres';

/** One database user that Mayfly had made. */
export interface Principal {
  readonly name: string;
  readonly grantId: string;
  readonly firstSeen: number;
  /** When it was last seen to work, in milliseconds since the epoch. */
  lastAlive: number;
  alive: boolean;
  taskId?: string;
}

const NAME = /^token-([a-z0-9]+)-[A-Za-z0-9]+$/;
const EVERY_MS = 100;

export class Target {
  readonly principals = new Map<string, Principal>();
  looks = 0;
  readonly #admin: Database;
  readonly #ledger: Database;
  #watching = true;
  #loop: Promise<void> = Promise.resolve();

  /**
   * @param adminUrl a superuser of the target's server
   * @param ledgerUrl read only to learn which task a grant's id belongs to
   */
  constructor(adminUrl: string, ledgerUrl: string) {
    this.#admin = openDatabase({ url: adminUrl, applicationName: 'oracle', maxConnections: 2 });
    this.#ledger = openDatabase({ url: ledgerUrl, applicationName: 'oracle', maxConnections: 1 });
  }

  /** Looks until closed; `onLook` is called after each look that the target answered. */
  watch(onLook: (startedAt: number) => void): void {
    this.#loop = (async () => {
      while (this.#watching) {
        const startedAt = Date.now();
        // While the server is down nobody is alive at it, and nobody can be asked.
        if (await this.#look(startedAt).catch(() => false)) onLook(startedAt);
        await pause(EVERY_MS);
      }
    })();
  }

  ofTask(taskId: string): Principal[] {
    return [...this.principals.values()].filter((principal) => principal.taskId === taskId);
  }

  get alive(): Principal[] {
    return [...this.principals.values()].filter((principal) => principal.alive);
  }

  async close(): Promise<void> {
    this.#watching = false;
    await this.#loop;
    await Promise.all([this.#admin.close(), this.#ledger.close()]);
  }

  async #look(startedAt: number): Promise<boolean> {
    const rows = await this.#admin.run<{ name: string; works: boolean }>(
      'oracle.look',
      `select name, bool_or(works) as works from (
         select rolname as name, rolcanlogin and (rolvaliduntil is null or rolvaliduntil > now()) as works from pg_roles where rolname like 'token-%'
         union all
         select usename, true from pg_stat_activity where usename like 'token-%'
       ) seen group by name`,
    );
    this.looks += 1;
    const working = new Set<string>();
    for (const { name, works } of rows) {
      const grantId = NAME.exec(name)?.[1];
      if (!grantId) continue;
      const known = this.principals.get(name);
      if (!known) this.principals.set(name, { name, grantId, firstSeen: startedAt, lastAlive: startedAt, alive: works });
      if (works) working.add(name);
    }
    for (const principal of this.principals.values()) {
      principal.alive = working.has(principal.name);
      if (principal.alive) principal.lastAlive = startedAt;
    }
    await this.#learnTasks().catch(() => undefined);
    return true;
  }

  async #learnTasks(): Promise<void> {
    const nameless = [...this.principals.values()].filter(({ taskId }) => taskId === undefined);
    if (nameless.length === 0) return;
    const rows = await this.#ledger.run<{ id: string; task_id: string }>(
      'oracle.tasks',
      'select id, task_id from ledger.task_grant where id = any($1)',
      [nameless.map(({ grantId }) => grantId)],
    );
    const tasks = new Map(rows.map((row) => [row.id, row.task_id]));
    for (const principal of nameless) {
      const taskId = tasks.get(principal.grantId);
      if (taskId) principal.taskId = taskId;
    }
  }
}

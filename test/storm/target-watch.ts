/**
 * The oracle: the target itself, looked at all the time. A login is dead when its role may not log in any more and no session of it is open.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openDatabase, type Database } from '@mayfly/postgres';

const OURS = /^token-(g[a-z2-7]{20})-[a-z0-9]+$/;
const SINGLE_EVERY_MS = 20;
/** The more there is to list, the seldomer: looking must not be a load of its own. */
const pauseFor = (logins: number): number => Math.max(100, logins / 10);

export class TargetWatch {
  /** When a grant's login was found dead, in milliseconds since the epoch. */
  readonly diedAt = new Map<string, number>();
  /** Grants whose login works now. */
  alive: ReadonlySet<string> = new Set();
  readonly #target: Database;
  readonly #single: Database;
  #watching = true;
  #looked: (() => void)[] = [];
  readonly #loop: Promise<void>;

  constructor(adminUrl: string) {
    this.#target = openDatabase({ url: adminUrl, applicationName: 'oracle', maxConnections: 1 });
    this.#single = openDatabase({ url: adminUrl, applicationName: 'oracle', maxConnections: 1 });
    this.#loop = this.#watch();
  }

  /** Resolves after the next look that began after now. */
  async look(): Promise<void> {
    for (let looks = 0; looks < 2; looks += 1) await new Promise<void>((resolve) => this.#looked.push(resolve));
  }

  /** Waits until a look shows what is waited for. */
  async until(what: () => boolean, seconds: number): Promise<boolean> {
    const end = Date.now() + seconds * 1000;
    while (!what()) {
      if (Date.now() > end) return false;
      await new Promise<void>((resolve) => this.#looked.push(resolve));
    }
    return true;
  }

  /** When one grant's login is found dead, looked at closely; undefined when it lives on after so many seconds. */
  async death(grant: string, seconds: number): Promise<number | undefined> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const rows = await this.#single.run(
        'one',
        `select 1 from pg_roles where rolcanlogin and rolname >= $1 and rolname < $2
         union all select 1 from pg_stat_activity where usename >= $1 and usename < $2`,
        [`token-${grant}-`, `token-${grant}.`],
      );
      const now = Date.now();
      if (rows.length === 0) return now;
      if (now > end) return undefined;
      await pause(SINGLE_EVERY_MS);
    }
  }

  async close(): Promise<void> {
    this.#watching = false;
    await this.#loop;
    await Promise.all([this.#target.close(), this.#single.close()]);
  }

  async #watch(): Promise<void> {
    while (this.#watching) {
      const rows = await this.#target.run<{ name: string }>(
        '',
        `select rolname as name from pg_roles where rolcanlogin and rolname like 'token-g%'
         union select usename from pg_stat_activity where usename like 'token-g%'`,
      );
      const now = Date.now();
      const alive = new Set(rows.flatMap(({ name }) => OURS.exec(name)?.[1] ?? []));
      for (const grant of this.alive) if (!alive.has(grant)) this.diedAt.set(grant, now);
      this.alive = alive;
      for (const told of this.#looked.splice(0)) told();
      await pause(pauseFor(alive.size));
    }
  }
}

/**
 * Walking a PostgreSQL target itself, and ending there what the secrets engine has forgotten.
 * @module
 */
import { isGrantId, MayflyError, type GrantId } from '@mayfly/domain';
import { openDatabase, type Database } from '@mayfly/postgres';
import type { Targets } from './targets-file.js';

/** Task tokens are displayed as `token-<grant id>`, and users are called after them (`username_template`, deploy/openbao). */
const OURS = /^token-([a-z0-9]+)-[A-Za-z0-9]{1,32}$/;

/** The id of the grant that a principal's name carries; undefined for a name that is not one of ours. */
export function grantIdOf(principal: string): GrantId | undefined {
  const id = OURS.exec(principal)?.[1] ?? '';
  return isGrantId(id) ? id : undefined;
}

/** A target whose users can be listed and ended from outside the secrets engine. */
export class PostgresQuarantine {
  readonly #database: Database;

  /** @param url a login that may become the role that makes the users (deploy/postgres: `mayfly_quarantine`) */
  constructor(
    readonly target: string,
    url: string,
    private readonly admin: string,
  ) {
    this.#database = openDatabase({ url, applicationName: 'mayfly-quarantine', maxConnections: 1 });
  }

  /** All users that carry a grant's id. @throws MayflyError `target-unavailable` */
  async list(): Promise<string[]> {
    const rows = await this.#asked(() =>
      this.#database.run<{ name: string }>(
        'quarantine.list',
        `select rolname as name from pg_roles where rolname like 'token-g%' order by rolname`,
      ),
    );
    return rows.map(({ name }) => name).filter((name) => grantIdOf(name) !== undefined);
  }

  /**
   * Ends one user: no new login, then no session, then no role.
   * @throws MayflyError `target-unavailable`; TypeError for a name that is not one of ours
   */
  async end(principal: string): Promise<void> {
    if (!grantIdOf(principal)) throw new TypeError('only what carries a grant id is ended');
    const role = `"${principal}"`;
    // Committed by itself: a login in between would otherwise still see the old role and survive.
    await this.#asAdmin([`set local lock_timeout = '2s'`, sessionsOf(principal), `alter role ${role} nologin`]);
    await this.#asAdmin([
      sessionsOf(principal),
      `grant ${role} to current_user with inherit true, set false`,
      `drop owned by ${role}`,
      `drop role ${role}`,
    ]);
  }

  /**
   * Ends sessions whose role is gone: one that was still logging in while its user was ended belongs to nobody any more.
   * @returns how many there were
   */
  async endGhosts(): Promise<number> {
    let count = 0;
    await this.#asked(() =>
      this.#database.transaction('quarantine', async (tx) => {
        await tx.run('', `set local role "${this.admin}"`);
        const ended = await tx.run(
          '',
          `select pg_terminate_backend(pid, 2000) from pg_stat_activity
           where backend_type = 'client backend' and usesysid is not null and usesysid not in (select oid from pg_roles)`,
        );
        count = ended.length;
      }),
    );
    return count;
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #asAdmin(statements: readonly string[]): Promise<void> {
    return this.#asked(() =>
      this.#database.transaction('quarantine', async (tx) => {
        for (const statement of [`set local role "${this.admin}"`, ...statements]) await tx.run('', statement);
      }),
    );
  }

  async #asked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new MayflyError('target-unavailable', 'the target could not be walked; it is tried again', 503, true, {}, { cause: error });
    }
  }
}

/** Throws out all sessions, and waits for each at most two seconds. */
const sessionsOf = (principal: string): string =>
  `select pg_terminate_backend(pid, 2000) from pg_stat_activity where usename = '${principal}'`;

/** One for each target that has a quarantine login. */
export const quarantinesOf = (targets: Targets): PostgresQuarantine[] =>
  Object.entries(targets).flatMap(([name, { quarantine }]) =>
    quarantine ? [new PostgresQuarantine(name, quarantine.url, quarantine.admin)] : [],
  );

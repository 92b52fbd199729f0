/**
 * Walking a PostgreSQL target itself, and ending there what the secrets engine has forgotten or cannot end now.
 * @module
 */
import { isGrantId, MayflyError, type GrantId } from '@mayfly/domain';
import { openDatabase, type Database, type Sql } from '@mayfly/postgres';
import type { TargetQuarantine } from '@mayfly/revocation';
import { ENTERING } from './postgres-probe.js';
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
    this.#database = openDatabase({ url, applicationName: 'mayfly-quarantine', maxConnections: 4 });
  }

  /** All users that carry a grant's id, or that one's. @throws MayflyError `target-unavailable` */
  async list(grantId: GrantId | '' = ''): Promise<string[]> {
    const rows = await this.#asked(() =>
      this.#database.run<{ name: string }>(
        'quarantine.list',
        // Grant ids are lower-case base32, so that nothing in them means something to LIKE.
        `select rolname as name from pg_roles where rolname like 'token-g%' and ($1 = '' or rolname like 'token-' || $1 || '-%') order by rolname`,
        [grantId],
      ),
    );
    return rows.map(({ name }) => name).filter((name) => grantIdOf(name) !== undefined);
  }

  /**
   * Ends one user: no new login, then no session. The user stays, for the secrets engine to remove. One that is gone is no error.
   * @throws MayflyError `target-unavailable`; TypeError for a name that is not one of ours
   */
  async bar(principal: string): Promise<void> {
    if (!grantIdOf(principal)) throw new TypeError('only what carries a grant id is ended');
    // Committed by itself: a login in between would otherwise still see the old role and survive.
    await this.#asAdmin((tx) => tx.run('', noLogin(principal)));
    await this.#asAdmin((tx) => tx.run('', sessionsOf(principal)));
  }

  /** The same, and then the user itself: for one that the secrets engine knows nothing of. */
  async end(principal: string): Promise<void> {
    await this.bar(principal);
    await this.#asAdmin((tx) => tx.run('', drop(principal)));
  }

  /**
   * Ends sessions that belong to nobody: their role is gone, or they were let in a while ago and do not take up their role. An agent may keep
   * its own login in that state (`post_auth_delay`), and would so come to life after its user was ended.
   * @returns how many there were
   */
  async endGhosts(): Promise<number> {
    const ask = (name: string, among: string, pids: readonly number[]) =>
      this.#asked(() =>
        this.#database.run<{ pid: number }>(
          name,
          `select pid from pg_stat_activity where ${among} and (usesysid not in (select oid from pg_roles)
             or (${ENTERING} and backend_start < now() - interval '1 second'))`,
          [pids],
        ),
      );
    const seen = (await ask('quarantine.ghosts', 'pid <> all ($1::int[])', [])).map(({ pid }) => pid);
    // A role that was made between the two halves of the question looks like none: asked twice.
    const found = seen.length > 0 ? await ask('quarantine.still_ghosts', 'pid = any ($1::int[])', seen) : [];
    for (const { pid } of found) await this.#asAdmin((tx) => tx.run('', endIfOurs(pid)));
    return found.length;
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #asAdmin<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    return this.#asked(() =>
      this.#database.transaction('quarantine', async (tx) => {
        await tx.run('', `set local role "${this.admin}"`);
        return work(tx);
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

/** A backend that is not let in yet, or a superuser's, may not be ended by this role, and need not. */
const endIfOurs = (pid: number): string => `do $$ begin
  perform pg_terminate_backend(${pid}, 2000);
exception when insufficient_privilege then null;
end $$`;

/** Throws out all sessions, and waits for each at most two seconds. */
const sessionsOf = (principal: string): string =>
  `select pg_terminate_backend(pid, 2000) from pg_stat_activity where usename = '${principal}'`;

/**
 * An agent may hold the lock that this needs, by changing its own role in a transaction that it leaves open: its sessions are thrown out
 * first, as often as it takes. The secrets engine may remove the role at this very moment, which is no error.
 */
const noLogin = (principal: string): string => `do $$ declare tries int := 0; begin
  set local lock_timeout = '500ms';
  while exists (select from pg_roles where rolname = '${principal}' and rolcanlogin) loop
    perform pg_stat_clear_snapshot();
    perform pg_terminate_backend(pid, 500) from pg_stat_activity where usename = '${principal}';
    begin
      alter role "${principal}" nologin;
      exit;
    exception
      when undefined_object then exit;
      when lock_not_available or internal_error then
        tries := tries + 1;
        if tries >= 8 then raise; end if;
    end;
  end loop;
end $$`;

const drop = (principal: string): string => `do $$ begin
  if exists (select from pg_roles where rolname = '${principal}') then
    grant "${principal}" to current_user with inherit true, set false;
    drop owned by "${principal}";
    drop role "${principal}";
  end if;
exception when undefined_object then null;
end $$`;

/** One for each target that has a quarantine login. */
export const quarantinesOf = (targets: Targets): PostgresQuarantine[] =>
  Object.entries(targets).flatMap(([name, { quarantine }]) =>
    quarantine ? [new PostgresQuarantine(name, quarantine.url, quarantine.admin)] : [],
  );

/** The {@link TargetQuarantine} of all of them. */
export function quarantineAt(quarantines: readonly PostgresQuarantine[]): TargetQuarantine {
  const named = (name: string): PostgresQuarantine => {
    const found = quarantines.find(({ target }) => target === name);
    if (found) return found;
    throw new MayflyError('target-unavailable', `the target ${name} has no quarantine login; add one to the targets file`, 503, true);
  };
  return {
    targets: quarantines.map(({ target }) => target),
    principals: (target, grantId) => named(target).list(grantId),
    quarantine: async (target, principal, forgotten) => {
      const at = named(target);
      await (forgotten ? at.end(principal) : at.bar(principal));
      await at.endGhosts();
    },
  };
}

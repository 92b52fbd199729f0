/**
 * Asking a PostgreSQL target whether a user is dead: no role that may log in, and no session of it.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { MayflyError } from '@mayfly/domain';
import { openDatabase, type Database } from '@mayfly/postgres';
import type { ProbeResult, ProbeSubject, TargetProbe } from '@mayfly/revocation';
import { ATTRIBUTES, SPANS, withSpan } from '@mayfly/telemetry';
import type { Targets } from './targets-file.js';

/**
 * Backends that were let in and have no role yet; one that waits for its client has not been let in. PostgreSQL 18 and later show both, earlier
 * ones show a backend only once it has its role.
 */
export const ENTERING = `backend_type = 'client backend' and state = 'starting' and wait_event_type is distinct from 'Client'`;

interface Found {
  readonly logins: number;
  readonly sessions: number;
  /** Sessions whose role is gone: they belong to nobody, and might be anybody's. */
  readonly ghosts: number;
  /** Process ids of backends that were let in and have no role yet. */
  readonly entering: readonly number[];
}

/** So often, and so far apart, is waited for those that are entering; that takes milliseconds unless the server is held up. */
const LOOKS = 40;
const LOOK_AGAIN_MS = 50;

/** A {@link TargetProbe} that keeps one small pool per target. */
export class PostgresProbe implements TargetProbe {
  readonly #databases = new Map<string, Database>();

  constructor(targets: Targets) {
    for (const [name, { probeUrl }] of Object.entries(targets)) {
      if (probeUrl) this.#databases.set(name, openDatabase({ url: probeUrl, applicationName: 'mayfly-probe', maxConnections: 4 }));
    }
  }

  probe({ capability, principal, grantId }: ProbeSubject): Promise<ProbeResult> {
    return withSpan(
      SPANS.probe,
      { kind: 'client', attributes: { [ATTRIBUTES.capability]: capability.name, [ATTRIBUTES.grantId]: grantId } },
      async () => {
        const database = this.#databases.get(capability.target ?? '');
        if (!database)
          throw new MayflyError(
            'target-unavailable',
            `no probe login for the target of ${capability.name}; add probeUrl to the targets file`,
            503,
            true,
          );
        const { logins, sessions, ghosts } = await this.#settled(database, principal, grantId);
        const checked = `postgres: ${logins} login roles, ${sessions} open sessions${ghosts > 0 ? `, ${ghosts} sessions of no role` : ''}`;
        return { dead: logins === 0 && sessions === 0 && ghosts === 0, checked };
      },
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#databases.values()].map((database) => database.close()));
  }

  /**
   * A login that PostgreSQL had let in before its role was barred, and that is still starting, belongs to nobody yet. So once only such ones
   * could stand in the way, those that began before are waited for, and the question is asked again. One that began later is refused.
   */
  async #settled(database: Database, principal: string | undefined, grantId: string): Promise<Found> {
    const first = await this.#ask(database, principal, grantId);
    if (first.logins > 0 || first.sessions > 0) return first;
    let found = first;
    // A role that was made between the two halves of the question looks like none: asked once more.
    for (let left = new Set(first.entering), looks = 0; left.size > 0 || (found.ghosts > 0 && looks === 0); looks += 1) {
      if (looks === LOOKS) return { ...found, sessions: found.sessions + left.size };
      await pause(LOOK_AGAIN_MS);
      found = await this.#ask(database, principal, grantId);
      const still = new Set(found.entering);
      left = new Set([...left].filter((pid) => still.has(pid)));
    }
    return found;
  }

  async #ask(database: Database, principal: string | undefined, grantId: string): Promise<Found> {
    const [name, matches, value] = principal
      ? (['probe.principal', '= $1', principal] as const)
      : // Grant ids are lower-case base32, so that nothing in them means something to LIKE.
        (['probe.grant', `like '%' || $1 || '%'`, grantId] as const);
    try {
      const [found] = await database.run<Found>(
        name,
        // Roles first: who enters afterwards is refused. What pg_stat_activity is made of, but for the names: it looks through all roles for
        // them, which in a storm are thousands.
        `with roles as materialized (select count(*)::int as logins from pg_roles where rolcanlogin and rolname ${matches}),
              backends as materialized (
                select pid, usesysid, state, backend_type, wait_event_type, (select rolname from pg_roles where oid = usesysid) as usename
                from pg_stat_get_activity(null) where (select logins from roles) >= 0
              )
         select (select logins from roles) as logins,
                count(*) filter (where usename ${matches})::int as sessions,
                count(*) filter (where usesysid is not null and usename is null)::int as ghosts,
                coalesce(array_agg(pid) filter (where ${ENTERING}), '{}') as entering from backends`,
        [value],
      );
      return found ?? { logins: 1, sessions: 0, ghosts: 0, entering: [] };
    } catch (error) {
      throw new MayflyError('target-unavailable', 'the target could not be asked; it is asked again', 503, true, {}, { cause: error });
    }
  }
}

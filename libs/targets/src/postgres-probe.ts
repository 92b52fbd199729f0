/**
 * Asking a PostgreSQL target whether a user is dead: no role that may log in, and no session of it.
 * @module
 */
import { MayflyError } from '@mayfly/domain';
import { openDatabase, type Database } from '@mayfly/postgres';
import type { ProbeResult, ProbeSubject, TargetProbe } from '@mayfly/revocation';
import { ATTRIBUTES, SPANS, withSpan } from '@mayfly/telemetry';
import type { Targets } from './targets-file.js';

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
        const [found] = await this.#ask(database, principal, grantId);
        const logins = found?.logins ?? 0;
        const sessions = found?.sessions ?? 0;
        return { dead: logins === 0 && sessions === 0, checked: `postgres: ${logins} login roles, ${sessions} open sessions` };
      },
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#databases.values()].map((database) => database.close()));
  }

  async #ask(database: Database, principal: string | undefined, grantId: string): Promise<{ logins: number; sessions: number }[]> {
    const [name, matches, value] = principal
      ? (['probe.principal', '= $1', principal] as const)
      : // Grant ids are lower-case base32, so that nothing in them means something to LIKE.
        (['probe.grant', `like '%' || $1 || '%'`, grantId] as const);
    try {
      return await database.run(
        name,
        `select (select count(*)::int from pg_roles where rolcanlogin and rolname ${matches}) as logins,
                (select count(*)::int from pg_stat_activity where usename ${matches}) as sessions`,
        [value],
      );
    } catch (error) {
      throw new MayflyError('target-unavailable', 'the target could not be asked; it is asked again', 503, true, {}, { cause: error });
    }
  }
}

import type { OrphanWatch } from '@mayfly/revocation';
import { findGrant, unexplainedPrincipals } from '@mayfly/store';
import { grantIdOf, type PostgresQuarantine } from '@mayfly/targets';
import type { Walk, WalkDependencies } from './walk.js';

/** Users of a target database that carry a grant's id. The secrets engine forgets them when it is killed while it mints. */
export const databaseUsers = ({ database, logger }: WalkDependencies, quarantine: PostgresQuarantine, watch: OrphanWatch): Walk => ({
  kind: 'database',
  watch,
  list: async () => {
    const ghosts = await quarantine.endGhosts();
    if (ghosts > 0) logger.error('sessions whose user is gone were found at a target and ended', { target: quarantine.target, ghosts });
    return quarantine.list();
  },
  unexplained: (names) =>
    unexplainedPrincipals(
      database,
      names.flatMap((name) => {
        const grantId = grantIdOf(name);
        return grantId ? [{ name, grantId }] : [];
      }),
    ),
  end: async (name) => {
    await quarantine.end(name);
    const grantId = grantIdOf(name);
    return { grant: grantId && (await findGrant(database, grantId)), data: { target: quarantine.target, principal: name } };
  },
});

/**
 * Walking the targets, not only the ledger: the secrets engine forgets users when it is killed while it mints, and nobody else would
 * ever end them.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import type { OrphanWatch } from '@mayfly/revocation';
import { findGrant, stateFact, unexplainedPrincipals, type Database } from '@mayfly/store';
import { grantIdOf, type PostgresQuarantine } from '@mayfly/targets';
import { counter, METRICS, SPANS, withSpan, type Logger } from '@mayfly/telemetry';

/** What reconciling works with. */
export interface ReconcileDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Each target with its own memory of what was unexplained. */
  readonly targets: readonly { readonly quarantine: PostgresQuarantine; readonly watch: OrphanWatch }[];
}

const orphans = counter(METRICS.orphansFound);

/** Looks at every target once and ends what nothing explains. Always 0: there is nothing to hurry on with. */
export async function reconcileTargets({ database, clock, logger, targets }: ReconcileDependencies): Promise<0> {
  await withSpan(SPANS.reconcile, { root: true }, async () => {
    for (const { quarantine, watch } of targets) {
      const ghosts = await quarantine.endGhosts();
      if (ghosts > 0) logger.error('sessions whose user is gone were found at a target and ended', { target: quarantine.target, ghosts });
      const principals = (await quarantine.list()).flatMap((name) => {
        const grantId = grantIdOf(name);
        return grantId ? [{ name, grantId }] : [];
      });
      const overdue = watch.overdue(await unexplainedPrincipals(database, principals));
      for (const name of overdue) {
        orphans.add(1);
        await quarantine.end(name);
        const grantId = grantIdOf(name);
        const grant = grantId && (await findGrant(database, grantId));
        await stateFact(database, {
          kind: 'dev.mayfly.evidence.orphan-ended.v1',
          at: clock.now().toISOString(),
          tenant: grant?.tenant,
          taskId: grant?.taskId,
          by: 'revoker',
          data: { target: quarantine.target, principal: name },
        });
        logger.error('a credential that nothing explains was found at its target and ended', {
          target: quarantine.target,
          principal: name,
          taskId: grant?.taskId,
        });
      }
    }
  });
  return 0;
}

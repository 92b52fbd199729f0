import type { Clock } from '@mayfly/domain';
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { TargetQuarantine } from '@mayfly/revocation';
import { noteQuarantine, unexplainedPrincipals, type Database } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS, SPANS, withSpan } from '@mayfly/telemetry';

/** What quarantining works with. */
export interface QuarantineDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly quarantine: TargetQuarantine;
}

/** Which lease, and why the secrets engine could not. */
export interface ToQuarantine {
  readonly grant: Grant;
  readonly credential: Credential;
  readonly lease: Lease;
  /** Stable code. */
  readonly reason: string;
  /** True when Vault has said that it knows nothing of the lease. */
  readonly forgotten: boolean;
}

const quarantines = counter(METRICS.quarantines);

/** Ends a credential at its target and says so. What it does not say is `revoked`. @throws MayflyError `target-unavailable` */
export async function quarantineLease(
  { database, clock, quarantine }: QuarantineDependencies,
  { grant, credential, lease, reason, forgotten }: ToQuarantine,
): Promise<void> {
  const target = credential.spec?.target ?? '';
  const attributes = {
    [ATTRIBUTES.taskId]: grant.taskId,
    [ATTRIBUTES.leaseRef]: lease.ref,
    [ATTRIBUTES.capability]: credential.capability,
    [ATTRIBUTES.reason]: reason,
  };
  await withSpan(SPANS.quarantine, { attributes }, async () => {
    const existing = await quarantine.principals(target, grant.id);
    const its = lease.principal ? existing.filter((name) => name === lease.principal) : await unnamed(database, grant, existing);
    for (const name of its) await quarantine.quarantine(target, name, forgotten);
    quarantines.add(1, { [ATTRIBUTES.reason]: reason });
    const at = clock.now();
    await database.transaction('note quarantine', (tx) =>
      noteQuarantine(tx, { grant, credential, lease, reason, principals: its.length, at }),
    );
  });
}

/** Nobody lived to write down what the target calls it: everything under a grant that ends; else what no lease of a living grant explains. */
const unnamed = (database: Database, { id, state }: Grant, existing: readonly string[]): Promise<readonly string[]> =>
  state === 'closing' || state === 'closed'
    ? Promise.resolve(existing)
    : unexplainedPrincipals(
        database,
        existing.map((name) => ({ name, grantId: id })),
      );

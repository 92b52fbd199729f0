/**
 * INVARIANT: with Vault away, sealed or hanging, a credential whose end was asked for is dead at its target soon all the same. This loop
 * never talks to Vault, so nothing that holds Vault up holds this up.
 * @module
 */
import { plusSeconds } from '@mayfly/domain';
import { MINT_WINDOW_SECONDS } from '@mayfly/revocation';
import { credentialsOf, findGrant, overdueRevocations } from '@mayfly/store';
import { quarantineLease, type QuarantineDependencies } from './quarantine-lease.js';

/**
 * So long may Vault take once an attempt has failed, so long in any case (it may hang), and so long while others are proven dead there all
 * the time: that is a storm which drains, and quarantine beside it would only take from it what it needs. In seconds.
 */
export const QUARANTINE_AFTER_SECONDS = { failed: 3, any: 8, draining: 120 } as const;
const PAGE = 50;
const AT_ONCE = 4;

/**
 * Ends at one target what is overdue there. Returns how many it ended.
 * @param drains whether leases at this target are being proven dead now
 * @throws MayflyError `target-unavailable`
 */
export async function quarantineOverdue(on: QuarantineDependencies, target: string, drains = false): Promise<number> {
  const now = on.clock.now();
  const since = {
    failedSince: plusSeconds(now, -QUARANTINE_AFTER_SECONDS.failed),
    anySince: plusSeconds(now, -QUARANTINE_AFTER_SECONDS[drains ? 'draining' : 'any']),
    mintedSince: plusSeconds(now, -MINT_WINDOW_SECONDS),
  };
  const overdue = await overdueRevocations(on.database, target, since, PAGE);
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let lease = overdue.shift(); lease; lease = overdue.shift()) {
      const grant = await findGrant(on.database, lease.grantId);
      const credential = (await credentialsOf(on.database, lease.grantId)).find(({ name }) => name === lease.name);
      if (!grant || !credential) continue;
      await quarantineLease(on, { grant, credential, lease, reason: lease.lastProblem ?? 'no-answer', forgotten: false });
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return done;
}

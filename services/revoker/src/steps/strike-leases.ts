import { failpoint } from '@mayfly/failpoints';
import { strike } from '@mayfly/revocation';
import { ATTRIBUTES, SPANS, withSpan } from '@mayfly/telemetry';
import type { Killing } from '../killing.js';

/** INVARIANT: leases first, then the token: revoking the token first only queues its leases, and its answer proves nothing about them. */
export async function strikeLeases({ doomed = [], problems, killers, grant, atTargets }: Killing): Promise<void> {
  await Promise.all(
    doomed.map((one) =>
      withSpan(
        SPANS.revoke,
        {
          attributes: {
            [ATTRIBUTES.taskId]: grant?.taskId,
            [ATTRIBUTES.leaseRef]: one.lease.ref,
            [ATTRIBUTES.capability]: one.credential.capability,
            [ATTRIBUTES.cause]: one.lease.cause,
          },
        },
        async (span) => {
          const problem = await atTargets.at(one.credential.spec?.target, () => strike(one, killers));
          failpoint('C12');
          if (!problem) return;
          problems?.set(one.lease.ref, problem);
          span.fail(problem);
        },
      ),
    ),
  );
}

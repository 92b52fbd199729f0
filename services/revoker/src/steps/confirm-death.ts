import { confirm, mintUnderWay, type Doomed, type Verdict } from '@mayfly/revocation';
import { ATTRIBUTES, SPANS, withSpan } from '@mayfly/telemetry';
import { circumstancesOf } from '../circumstances.js';
import type { Killing } from '../killing.js';

/** "Revoked" is a claim that needs proof: looks each lease up, and asks the target where it can be asked. */
export async function confirmDeath(known: Killing): Promise<void> {
  const { doomed = [], problems, killers, clock, tokenProof, grant } = known;
  if (!grant) throw new TypeError('confirmDeath comes after findDoomed');
  known.verdicts = await Promise.all(
    doomed.map((one) =>
      withSpan(
        SPANS.confirm,
        {
          attributes: {
            [ATTRIBUTES.taskId]: grant.taskId,
            [ATTRIBUTES.leaseRef]: one.lease.ref,
            [ATTRIBUTES.capability]: one.credential.capability,
          },
        },
        async (span): Promise<readonly [Doomed, Verdict]> => {
          const struck = problems?.get(one.lease.ref);
          const lookAgain = mintUnderWay(one.lease, known.issuerAtWork ?? false, clock.now());
          const verdict: Verdict = lookAgain
            ? { kind: 'later', at: lookAgain }
            : struck
              ? { kind: 'alive', problem: struck }
              : await confirm(one, killers, circumstancesOf(known, grant, tokenProof));
          span.set({ [ATTRIBUTES.outcome]: verdict.kind === 'over' ? verdict.state : verdict.kind });
          if (verdict.kind === 'alive') span.fail(verdict.problem);
          return [one, verdict];
        },
      ),
    ),
  );
}

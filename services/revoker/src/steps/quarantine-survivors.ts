import { confirm, problemOf, type Verdict } from '@mayfly/revocation';
import { circumstancesOf } from '../circumstances.js';
import type { Killing } from '../killing.js';
import { quarantineLease } from '../quarantine-lease.js';

/** Vault says gone, the target still accepts it: nobody but us will ever end it there, so it is ended at once, and looked at again. */
export async function quarantineSurvivors(known: Killing): Promise<void> {
  const { grant, killers, tokenProof, verdicts = [] } = known;
  if (!grant) throw new TypeError('quarantineSurvivors comes after findDoomed');
  known.verdicts = await Promise.all(
    verdicts.map(async ([one, verdict]) => {
      if (verdict.kind !== 'alive' || verdict.problem !== 'target-still-accepts') return [one, verdict] as const;
      let ended = false;
      const problem = await problemOf(async () => {
        ended = await quarantineLease(known, { grant, ...one, reason: verdict.problem, forgotten: true });
      });
      const after: Verdict = problem
        ? { kind: 'alive', problem }
        : ended
          ? await confirm(one, killers, circumstancesOf(known, grant, tokenProof))
          : verdict;
      return [one, after] as const;
    }),
  );
}

import { confirm, problemOf } from '@mayfly/revocation';
import type { Killing } from '../killing.js';
import { quarantineLease } from '../quarantine-lease.js';

/** Vault says gone, the target still accepts it: nobody but us will ever end it there, so it is ended at once, and looked at again. */
export async function quarantineSurvivors(known: Killing): Promise<void> {
  const { database, clock, grant, killers, tokenProof, verdicts = [] } = known;
  const { quarantine } = killers;
  known.verdicts = await Promise.all(
    verdicts.map(async ([one, verdict]) => {
      const survives = verdict.kind === 'alive' && verdict.problem === 'target-still-accepts';
      if (!grant || !survives || !quarantine.targets.includes(one.credential.spec?.target ?? '')) return [one, verdict] as const;
      const problem = await problemOf(() =>
        quarantineLease({ database, clock, quarantine }, { grant, ...one, reason: verdict.problem, forgotten: true }),
      );
      return [one, problem ? ({ kind: 'alive', problem } as const) : await confirm(one, killers, clock.now(), tokenProof)] as const;
    }),
  );
}

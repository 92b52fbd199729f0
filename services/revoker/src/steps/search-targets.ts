import type { Capability } from '@mayfly/domain';
import { problemOf } from '@mayfly/revocation';
import type { Killing } from '../killing.js';

/**
 * Before a grant is closed its targets are asked for whatever carries its id: a copy that Vault made and forgot, and that nobody wrote
 * down, still lives. The reconciler ends it; until then the grant is not closed.
 */
export async function searchTargets(known: Killing): Promise<void> {
  const { grant, credentials = [], leases = [], verdicts = [], killers, problems, tokenProof } = known;
  if (!grant || tokenProof === undefined || verdicts.some(([, verdict]) => verdict.kind !== 'over')) return;
  const targets = new Map<string | undefined, Capability>();
  for (const { name, spec } of credentials)
    if (spec?.probe && spec.engine === 'database' && leases.some((lease) => lease.name === name)) targets.set(spec.target, spec);
  const problem = await problemOf(async () => {
    const answers = await Promise.all([...targets.values()].map((capability) => killers.probe.probe({ capability, grantId: grant.id })));
    known.remains = answers.some(({ dead }) => !dead);
  });
  if (problem) known.remains = true;
  if (known.remains) problems?.set('target', problem ?? 'target-still-accepts');
}

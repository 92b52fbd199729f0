import type { Capability } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import { problemOf } from '@mayfly/revocation';
import type { Killing } from '../killing.js';
import { noteOrphan } from '../note-orphan.js';

/**
 * Before a grant is closed its targets are asked for whatever carries its id: a copy that Vault made and forgot, and that nobody wrote
 * down, still lives. All that was written down is dead by now, and no token is left to make more, so it is ended at once; the next attempt
 * looks whether that is true, and until then the grant is not closed.
 */
export async function searchTargets(known: Killing): Promise<void> {
  const { grant, credentials = [], leases = [], verdicts = [], killers, problems, tokenProof } = known;
  if (!grant || tokenProof === undefined || verdicts.some(([, verdict]) => verdict.kind !== 'over')) return;
  const targets = new Map<string | undefined, Capability>();
  for (const { name, spec } of credentials)
    if (spec?.probe && spec.engine === 'database' && leases.some((lease) => lease.name === name)) targets.set(spec.target, spec);
  // Where one question has already said so of the whole grant.
  for (const [, verdict] of verdicts) if (verdict.kind === 'over' && verdict.searched !== undefined) targets.delete(verdict.searched);
  const problem = await problemOf(async () => {
    const answers = await Promise.all([...targets.values()].map((capability) => killers.probe.probe({ capability, grantId: grant.id })));
    known.remains = answers.some(({ dead }) => !dead);
    if (known.remains) for (const { target } of targets.values()) await endForgotten(known, grant, target);
  });
  if (problem) known.remains = true;
  if (known.remains) problems?.set('target', problem ?? 'target-still-accepts');
}

async function endForgotten({ database, clock, killers }: Killing, grant: Grant, target: string | undefined): Promise<void> {
  const { quarantine } = killers;
  if (target === undefined || !quarantine.targets.includes(target)) return;
  for (const principal of await quarantine.principals(target, grant.id)) {
    await quarantine.quarantine(target, principal, true);
    await noteOrphan({ database, clock }, { kind: 'database', grant, data: { target, principal } });
  }
}

import { quotaBounds } from '@mayfly/policy';
import type { Admission } from '../admission.js';

/** What will be minted at the start is written down before anything exists in Vault, and counts for the quotas of those who come next. */
export function intendLeases(known: Admission): void {
  const { round, grant, credentials, workflow } = known;
  if (!grant?.agentId || !credentials) throw new TypeError('intendLeases comes after openGrant');
  if (grant.state !== 'granted') return;
  const wanted = credentials.filter(({ permitted, spec }) => permitted && spec?.mint === 'on-start');
  // What its workflow's budget has no room for is not minted; a fetch of it is denied.
  known.intents = wanted
    .slice(0, workflow?.budgets?.mints)
    .map((credential) => ({ grant, credential, minter: 'issuer', at: round.now }) as const);
  const owner = { tenant: grant.tenant, source: grant.source, agentId: grant.agentId };
  const taken = { liveTasks: 1, startsPerMinute: 1, mintsPerMinute: known.intents.length };
  round.quotas.willWrite(round.tx, owner, quotaBounds(round.policy!.set, owner.source, owner.agentId), taken);
}

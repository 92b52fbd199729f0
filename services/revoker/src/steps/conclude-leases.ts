import { earliest } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { nextAttemptAt } from '@mayfly/revocation';
import { currentTrace } from '@mayfly/telemetry';
import { hasNews } from '../conclude.js';
import type { Killing } from '../killing.js';

/**
 * Writes what is proven, and only that; says when to look at the rest again. Of a grant that ends it is written in the transaction in which
 * it is closed, or its claim ended.
 */
export async function concludeLeases(known: Killing): Promise<void> {
  const { ledger, clock, grant, verdicts = [], problems, stuckBefore = new Set() } = known;
  if (!grant) throw new TypeError('concludeLeases comes after findDoomed');
  const at = clock.now();
  const tokenLives = grant.state === 'closing' && known.tokenProof === undefined;
  const failed = tokenLives || known.remains === true || verdicts.some(([, verdict]) => verdict.kind === 'alive');
  const attempts = failed ? grant.revokeAttempts + 1 : 0;
  const retry = failed ? [nextAttemptAt(attempts, at)] : [];
  const later = verdicts.flatMap(([, verdict]) => (verdict.kind === 'later' ? [verdict.at] : []));
  const [soonest, ...rest] = [...retry, ...later];
  known.next = soonest ? earliest(soonest, ...rest) : null;
  if (verdicts.some(([, verdict]) => verdict.kind === 'over')) failpoint('C13');
  const tokenProblem = tokenLives ? (problems?.get('token') ?? 'token-still-known') : undefined;
  const conclusion = { grant, verdicts, attempts, stuckBefore, tokenProblem, at, traceparent: currentTrace()?.traceparent };
  if (!hasNews(conclusion)) return;
  if (grant.state === 'closing') known.conclusion = conclusion;
  else await ledger.conclude(conclusion);
}

import { MayflyError } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { opens } from '@mayfly/grant';
import { replaceTaskToken as writeReplacement } from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS, SPANS } from '@mayfly/telemetry';
import { makeTaskToken, scopeOf, type Scope } from '../make-task-token.js';
import type { Minting } from '../minting.js';

const replacements = counter(METRICS.tokensReplaced);

/**
 * Where the token opens something that was lost since, or lacks something that is permitted again, another one takes its place. What was
 * minted with the first lives on under it; nobody holds its secret any more.
 *
 * INVARIANT: make, copy, then compare-and-set. Whoever dies in between leaves a token that nobody wrote down and that leases nothing; the walk
 * over Vault's tokens ends it, as one whose making was interrupted.
 */
export async function replaceTaskToken(known: Minting): Promise<'stop' | void> {
  const { database, clock, vault, grant, credentials, token: earlier } = known;
  if (!earlier) return;
  const scope = await scopeOf(known);
  const before = opens(grant, credentials);
  if (before.join() === scope.opens.join()) return;
  if (!(await known.book.hold(known.claim))) return 'stop';
  const made = await make(known, scope);
  const kept = known.leases.filter(({ state, deliveredAt }) => state === 'active' && !deliveredAt).map(({ ref }) => ref);
  for (const ref of kept) {
    await vault.copy(earlier, made.token, ref).catch(async (error: unknown) => {
      await vault.discardToken(made.token);
      throw error;
    });
  }
  const replaced = await database.transaction('replace task token', (tx) => writeReplacement(tx, grant, credentials, made, clock.now()));
  failpoint('C17');
  if (!replaced) await vault.discardToken(made.token);
  if (!replaced?.current) return 'stop';
  replacements.add(1, { [ATTRIBUTES.outcome]: before.every((capability) => scope.opens.includes(capability)) ? 'widened' : 'narrowed' });
  // One copy is enough: a fetch that was under way takes it from the first token. What resists dies with its token.
  for (const ref of kept) await vault.take(replaced.delivered.has(ref) ? made.token : earlier, ref).catch(() => undefined);
  known.token = made.token;
}

/** What Vault refuses for good is tried again all the same: until it works, the token opens what was lost. */
async function make(known: Minting, scope: Scope) {
  try {
    return await makeTaskToken(known, scope, SPANS.replaceTaskToken);
  } catch (error) {
    replacements.add(1, { [ATTRIBUTES.outcome]: 'failed' });
    throw error instanceof MayflyError && !error.retriable ? new ReplacementRefused(error) : error;
  }
}

/** Vault does not make the token that shall take another's place. */
class ReplacementRefused extends MayflyError {
  constructor(cause: MayflyError) {
    super(
      'replacement-refused',
      'the secrets engine refuses the token that shall replace a task’s; see whether the policies of its capabilities are still there',
      502,
      true,
      {},
      { cause },
    );
  }
}

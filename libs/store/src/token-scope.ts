/**
 * What a grant's token shall open. Only the wish is written here, with whatever led to it in one transaction; the issuer does what it takes.
 * @module
 */
import type { GrantId } from '@mayfly/domain';
import type { Sql } from '@mayfly/postgres';
import { CHANNELS } from './channels.js';

/**
 * The token shall not open these any more. The grant's row must be locked by the caller.
 * @returns false when that was said before, or the grant does not live
 */
export async function narrowToken(tx: Sql, id: GrantId, lost: readonly string[], at: Date): Promise<boolean> {
  const rows = await tx.run(
    'token.narrow',
    `update ledger.task_grant set lost_capabilities = array(select unnest(lost_capabilities) union select unnest($2::text[]) order by 1), ${QUEUED}
     where id = $1 and state = 'granted' and not lost_capabilities @> $2::text[] returning 1`,
    [id, [...lost], at],
  );
  if (rows.length > 0) await wake(tx);
  return rows.length > 0;
}

/**
 * The token shall open this again. Asked for as often as it is needed: whoever finds that the token still does not open it asks once more.
 * The grant's row must be locked by the caller.
 */
export async function widenToken(tx: Sql, id: GrantId, capability: string, at: Date): Promise<void> {
  await tx.run(
    'token.widen',
    `update ledger.task_grant set lost_capabilities = array_remove(lost_capabilities, $2), ${QUEUED}
     where id = $1 and state = 'granted' and ($2 = any(lost_capabilities) or mint_at is null)`,
    [id, capability, at],
  );
  await wake(tx);
}

/** A claim that is under way settles nothing then: it may have read what was true before. */
const QUEUED = 'mint_at = least($3, coalesce(mint_at, $3)), mint_claim = mint_claim + 1';

const wake = (tx: Sql): Promise<unknown> => tx.run('mint_at.wake', `select pg_notify('${CHANNELS.mint}', '')`);

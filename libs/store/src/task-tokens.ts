/**
 * Taking the place of a task's token, and what became of those that were there before.
 *
 * INVARIANT: a token that exists and was once written down stays named by the ledger until Vault has said that it is gone.
 * @module
 */
import type { GrantId } from '@mayfly/domain';
import { opens, type Credential, type Grant } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { announceTask } from './changes.js';
import { CHANNELS } from './channels.js';
import { stateFact } from './evidence.js';
import { lockGrant, type NewTaskToken } from './grants.js';
import { leasesOf } from './leases.js';
import { hurryRevocation } from './queues.js';

/** What became of a token that was made to take another's place. */
export interface Replacement {
  /** Whether it is the grant's token now. The ledger names it all the same: under a grant that ends, the revoker ends it. */
  readonly current: boolean;
  /** Leases that were handed out before the moment of the change: their fetches take what was kept from the earlier token. */
  readonly delivered: ReadonlySet<string>;
}

/**
 * The new token takes the place of the grant's, if that is still the one that was seen; the earlier one is retired.
 * @returns undefined when another token took its place, or the grant is over: the new one must not live
 */
export async function replaceTaskToken(
  tx: Sql,
  seen: Grant,
  credentials: readonly Credential[],
  made: NewTaskToken,
  at: Date,
): Promise<Replacement | undefined> {
  const grant = await lockGrant(tx, seen.id);
  if (!grant?.tokenAccessor || grant.tokenAccessor !== seen.tokenAccessor) return undefined;
  if (grant.state !== 'granted' && grant.state !== 'closing') return undefined;
  const current = grant.state === 'granted';
  const delivered = new Set((await leasesOf(tx, grant.id)).flatMap(({ ref, deliveredAt }) => (deliveredAt ? [ref as string] : [])));
  await retire(tx, grant.id, current ? grant.tokenAccessor : made.accessor, at);
  // It looks whether a retired token still holds anything, and takes in one that came late.
  await hurryRevocation(tx, grant.id, at);
  if (!current) return { current, delivered };
  await tx.run(
    'token.replace',
    'update ledger.task_grant set sealed_token = $2, token_accessor = $3, token_capabilities = $4 where id = $1',
    [grant.id, made.sealed, made.accessor, made.opens],
  );
  const before = opens(grant, credentials);
  await stateFact(tx, {
    kind: 'dev.mayfly.evidence.task-token-replaced.v1',
    at: at.toISOString(),
    tenant: grant.tenant,
    taskId: grant.taskId,
    by: 'issuer',
    data: {
      opens: made.opens,
      lost: before.filter((capability) => !made.opens.includes(capability)),
      gained: made.opens.filter((capability) => !before.includes(capability)),
    },
  });
  await queueChildren(tx, grant.id, at);
  await announceTask(tx, grant.taskId);
  return { current, delivered };
}

/** Whatever is minted from now on hangs on another token. Replicas' clocks may differ: an intent that is written is earlier, whatever it says. */
const retire = (tx: Sql, id: GrantId, accessor: string, at: Date): Promise<unknown> =>
  tx.run(
    'token.retire',
    `insert into ledger.retired_token (accessor, grant_id, retired_at)
     select $2, $1, greatest($3, max(intended_at)) from (select intended_at from ledger.lease where grant_id = $1 offset 0) as its`,
    [id, accessor, at],
  );

/** Sub-tasks whose tokens lack something, for example because their parent's lacked it. */
async function queueChildren(tx: Sql, id: GrantId, at: Date): Promise<void> {
  await tx.run(
    'token.queue_children',
    `update ledger.task_grant child set mint_at = least($2, coalesce(mint_at, $2)), mint_claim = mint_claim + 1
     where parent_grant_id = $1 and state = 'granted' and token_capabilities is not null and exists (
       select from ledger.credential c where c.grant_id = child.id and c.permitted
         and c.capability <> all(child.lost_capabilities) and c.capability <> all(child.token_capabilities))`,
    [id, at],
  );
  await tx.run('mint_at.wake', `select pg_notify('${CHANNELS.mint}', '')`);
}

/**
 * Of these, the ones on which nothing hangs any more: no lease in Vault that may live, none that is being minted, and no sub-task, whose
 * token may be its child.
 */
export async function idleTokens(sql: Sql, id: GrantId): Promise<string[]> {
  const rows = await sql.run<{ accessor: string }>(
    'token.idle',
    `select accessor from ledger.retired_token r where grant_id = $1 and gone_at is null
       and not exists (select from ledger.lease l where l.grant_id = r.grant_id and l.intended_at <= r.retired_at
         and l.state in ('minting', 'active', 'revoking', 'stuck') and (l.vault_lease_id is not null or l.issued_at is null))
       and not exists (select from ledger.task_grant c where c.parent_grant_id = r.grant_id and c.state in ('requested', 'pending', 'granted', 'closing'))`,
    [id],
  );
  return rows.map(({ accessor }) => accessor);
}

/** Notes that Vault has said of a retired token that it is gone. */
export async function noteTokenGone(sql: Sql, accessor: string, proof: string, at: Date): Promise<void> {
  await sql.run('token.gone', 'update ledger.retired_token set gone_at = $2, proof = $3 where accessor = $1 and gone_at is null', [
    accessor,
    at,
    proof,
  ]);
}

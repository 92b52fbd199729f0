/**
 * What is read and settled of one grant's killing, for many grants in one statement: when thousands end at once, a statement each would be
 * most of the cost.
 * @module
 */
import type { GrantId } from '@mayfly/domain';
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { GRANT, readGrant, selectList } from './columns.js';
import { credentialsOfAll } from './credentials.js';
import { leasesOfAll } from './leases.js';
import type { Claimed } from './queues.js';

const ALL = selectList(GRANT);

/** Of these grants, the ones whose minting somebody holds, or still has to do: a token of theirs may come to be at any moment. */
export async function beingMinted(sql: Sql, ids: readonly GrantId[]): Promise<ReadonlySet<GrantId>> {
  const rows = await sql.run<{ id: GrantId }>(
    'mint_at.busy',
    'select id from ledger.task_grant where id = any($1) and mint_at is not null',
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** A grant with all that belongs to it. */
export interface WholeGrant {
  readonly grant: Grant;
  readonly credentials: readonly Credential[];
  readonly leases: readonly Lease[];
  /** Accessors of tokens that were replaced and are not proven gone. They act as capabilities: never show them. */
  readonly retiredTokens: readonly string[];
}

/** Reads these grants with all that belongs to them; one that there is not is left out. */
export async function findWholeGrants(sql: Sql, ids: readonly GrantId[]): Promise<ReadonlyMap<GrantId, WholeGrant>> {
  const [grants, credentials, leases, retired] = await Promise.all([
    sql.run('grant.by_ids', `select ${ALL} from ledger.task_grant where id = any($1)`, [ids]),
    credentialsOfAll(sql, ids),
    leasesOfAll(sql, ids),
    livingRetiredTokens(sql, ids),
  ]);
  const [credentialsOf, leasesOf] = [Map.groupBy(credentials, byGrant), Map.groupBy(leases, byGrant)];
  const whole = (grant: Grant): WholeGrant => ({
    grant,
    credentials: credentialsOf.get(grant.id) ?? [],
    leases: leasesOf.get(grant.id) ?? [],
    retiredTokens: retired.get(grant.id) ?? [],
  });
  return new Map(grants.map(readGrant).map((grant) => [grant.id, whole(grant)]));
}

const byGrant = ({ grantId }: { readonly grantId: GrantId }): GrantId => grantId;

/** Accessors of these grants' retired tokens that are not proven gone, by grant, the eldest first. They act as capabilities: never show them. */
export async function livingRetiredTokens(sql: Sql, ids: readonly GrantId[]): Promise<ReadonlyMap<GrantId, readonly string[]>> {
  const rows = await sql.run<{ accessor: string; grantId: GrantId }>(
    'token.retired_of_grants',
    'select accessor, grant_id as "grantId" from ledger.retired_token where grant_id = any($1) and gone_at is null order by retired_at',
    [ids],
  );
  const found = Map.groupBy(rows, byGrant);
  return new Map([...found].map(([id, tokens]) => [id, tokens.map(({ accessor }) => accessor)]));
}

/** These grants, locked in one order until the transaction ends. */
export async function lockGrants(tx: Sql, ids: readonly GrantId[]): Promise<Grant[]> {
  const rows = await tx.run('grant.lock_by_ids', `select ${ALL} from ledger.task_grant where id = any($1) order by id for no key update`, [
    ids,
  ]);
  return rows.map(readGrant);
}

/** How a claim ends: nothing left (null), or again at `next`. */
export interface Settlement {
  readonly claim: Claimed;
  readonly next: Date | null;
}

/** Ends claims of revocations. One that somebody else took meanwhile, or that more was asked for, is left alone. */
export async function settleRevocations(tx: Sql, settlements: readonly Settlement[]): Promise<void> {
  await tx.run(
    'revoke_at.settle_all',
    `update ledger.task_grant old set revoke_at = new.next from unnest($1::text[], $2::int[], $3::timestamptz[]) as new (id, claim, next)
     where old.id = new.id and old.revoke_claim = new.claim`,
    [settlements.map(({ claim }) => claim.grant.id), settlements.map(({ claim }) => claim.claim), settlements.map(({ next }) => next)],
  );
}

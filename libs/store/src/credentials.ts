/**
 * What a task asked for, one row each, with what was decided.
 * @module
 */
import type { Capability, GrantId } from '@mayfly/domain';
import type { Credential } from '@mayfly/grant';
import type { Sql } from '@mayfly/postgres';
import { CREDENTIAL, readCredential, selectList } from './columns.js';

const ALL = selectList(CREDENTIAL);

/** Writes tasks' credentials, those of each in the order in which it asked for them. */
export async function insertCredentials(tx: Sql, credentials: readonly Credential[]): Promise<void> {
  const next = new Map<GrantId, number>();
  const rows = credentials.map((credential) => {
    const position = next.get(credential.grantId) ?? 0;
    next.set(credential.grantId, position + 1);
    return {
      ...Object.fromEntries(Object.entries(credential).map(([field, value]) => [CREDENTIAL[field as keyof Credential], value])),
      position,
    };
  });
  await tx.run(
    'credential.insert_all',
    `insert into ledger.credential (${ALL}, position) select ${ALL}, position from jsonb_populate_recordset(null::ledger.credential, $1::jsonb)`,
    [JSON.stringify(rows)],
  );
}

/** A task's credentials, in the order in which it asked for them. */
export async function credentialsOf(sql: Sql, grantId: GrantId): Promise<Credential[]> {
  const rows = await sql.run('credential.of_grant', `select ${ALL} from ledger.credential where grant_id = $1 order by position`, [
    grantId,
  ]);
  return rows.map(readCredential);
}

/** The credentials of these tasks, those of one task in the order in which it asked for them. */
export async function credentialsOfAll(sql: Sql, grantIds: readonly GrantId[]): Promise<Credential[]> {
  const rows = await sql.run('credential.of_grants', `select ${ALL} from ledger.credential where grant_id = any($1) order by position`, [
    grantIds,
  ]);
  return rows.map(readCredential);
}

/** Narrows the limits that a credential was pinned to at its start. */
export async function tightenSpec(tx: Sql, { grantId, name }: Credential, spec: Capability): Promise<void> {
  await tx.run('credential.tighten', 'update ledger.credential set spec = $3 where grant_id = $1 and name = $2', [
    grantId,
    name,
    JSON.stringify(spec),
  ]);
}

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

/** What these tasks asked for, those of one task in the order in which it asked for them. */
export async function credentialsOfTasks(sql: Sql, taskIds: readonly string[]): Promise<Credential[]> {
  const rows = await sql.run(
    'credential.of_tasks',
    `select ${selectList(CREDENTIAL, 'c')} from ledger.credential c join ledger.task_grant g on g.id = c.grant_id where g.task_id = any($1) order by c.position`,
    [taskIds],
  );
  return rows.map(readCredential);
}

/** Names a credential. */
export type CredentialName = Pick<Credential, 'grantId' | 'name'>;
const NAMED = `jsonb_to_recordset($1::jsonb) as named (grant_id text, name text)`;
const named = (names: readonly CredentialName[]): string => JSON.stringify(names.map(({ grantId, name }) => ({ grant_id: grantId, name })));

/** Credentials, locked until the transaction ends, so that two fetches of one come one after the other. Their grants are locked before. */
export async function lockCredentials(tx: Sql, names: readonly CredentialName[]): Promise<Credential[]> {
  const rows = await tx.run(
    'credential.lock_all',
    `select ${selectList(CREDENTIAL, 'c')} from ledger.credential c join ${NAMED} using (grant_id, name) order by c.grant_id, c.name for update of c`,
    [named(names)],
  );
  return rows.map(readCredential);
}

/** Counts one fetch of each and returns them with the new count. */
export async function countFetches(tx: Sql, names: readonly CredentialName[]): Promise<Credential[]> {
  const rows = await tx.run(
    'credential.count_fetches',
    `update ledger.credential c set fetches = c.fetches + 1 from ${NAMED} where c.grant_id = named.grant_id and c.name = named.name
     returning ${selectList(CREDENTIAL, 'c')}`,
    [named(names)],
  );
  if (rows.length < names.length) throw new TypeError('a fetch is counted only for a credential that is locked');
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

/**
 * Policy sets: kept for ever, one current.
 * @module
 */
import type { Sql } from '@mayfly/postgres';
import { CHANNELS } from './channels.js';

/** The files of a stored set: path to text. */
export type StoredFiles = Readonly<Record<string, string>>;

/** Digest of the current set; undefined before the first was applied. */
export async function currentPolicyDigest(sql: Sql): Promise<string | undefined> {
  const [row] = await sql.run<{ digest: string }>('policy.current', 'select digest from policy.current');
  return row?.digest;
}

/** The files of a set by its digest. */
export async function policySetFiles(sql: Sql, digest: string): Promise<StoredFiles | undefined> {
  const [row] = await sql.run<{ files: StoredFiles }>('policy.files', 'select files from policy.set where digest = $1', [digest]);
  return row?.files;
}

/** Stores a set and makes it current, in the caller's transaction. False when it is current already. */
export async function applyPolicySet(tx: Sql, set: { digest: string; files: StoredFiles; appliedBy: string; at: Date }): Promise<boolean> {
  await tx.run(
    'policy.store',
    'insert into policy.set (digest, files, applied_by, applied_at) values ($1, $2, $3, $4) on conflict do nothing',
    [set.digest, JSON.stringify(set.files), set.appliedBy, set.at],
  );
  const changed = await tx.run(
    'policy.switch',
    `insert into policy.current (digest, since) values ($1, $2)
     on conflict (singleton) do update set digest = excluded.digest, since = excluded.since where policy.current.digest is distinct from excluded.digest returning 1`,
    [set.digest, set.at],
  );
  await tx.run('policy.wake', `select pg_notify('${CHANNELS.policy}', $1)`, [set.digest]);
  return changed.length > 0;
}

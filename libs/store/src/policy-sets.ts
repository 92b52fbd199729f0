/**
 * Policy sets: kept for ever, one current.
 * @module
 */
import { digestOf } from '@mayfly/domain';
import { readPolicySet, type PolicySet } from '@mayfly/policy';
import type { Sql } from '@mayfly/postgres';
import { CHANNELS } from './channels.js';

/** The files of a stored set: path to text. */
export type StoredFiles = Readonly<Record<string, string>>;

/** A set as it is kept. */
export interface StoredSet {
  readonly digest: string;
  readonly files: StoredFiles;
  /** Compact JWS of who stands behind it. */
  readonly signature?: string | undefined;
}

/** Which set is current, and which version of its row. */
export interface PolicyVersion {
  readonly digest: string;
  readonly version: string;
}

/** One change of the current set. */
export interface PolicySwitch {
  readonly kind: 'applied' | 'rolled_back';
  readonly digest: string;
  /** Absent for the first. */
  readonly previous?: string;
  readonly operator: string;
  readonly reason?: string;
  /** `kid` of the key that signed the set. */
  readonly signer?: string;
  readonly at: Date;
}

const SWITCH_LOCK = 4_701_003;

/** Digest of the current set; undefined before the first was applied. */
export async function currentPolicyDigest(sql: Sql): Promise<string | undefined> {
  const [row] = await sql.run<{ digest: string }>('policy.current', 'select digest from policy.current');
  return row?.digest;
}

/**
 * Digest of the current set, and which version of its row it is: that changes whenever somebody writes it, whatever he writes. Undefined
 * before the first was applied.
 */
export async function currentPolicyVersion(sql: Sql): Promise<PolicyVersion | undefined> {
  const [row] = await sql.run<PolicyVersion>(
    'policy.current_version',
    `select c.digest, coalesce(s.xmin::text, '') as version from policy.current c left join policy.set s using (digest)`,
  );
  return row;
}

/** A set by its digest. */
export async function findPolicySet(sql: Sql, digest: string): Promise<StoredSet | undefined> {
  const [row] = await sql.run<{ files: StoredFiles; signature: string | null }>(
    'policy.set',
    'select files, signature from policy.set where digest = $1',
    [digest],
  );
  return row && { digest, files: row.files, signature: row.signature ?? undefined };
}

/** The same, read; undefined also where what is stored is not what the digest says, or cannot be read any more. */
export async function readStoredSet(sql: Sql, digest: string): Promise<PolicySet | undefined> {
  const stored = await findPolicySet(sql, digest);
  try {
    return stored && digestOf(stored.files) === digest ? readPolicySet(stored.files) : undefined;
  } catch {
    return undefined;
  }
}

/** Digest of the current set, which nobody changes until the transaction ends. */
export async function lockCurrentPolicy(tx: Sql): Promise<string | undefined> {
  await tx.run('policy.lock', 'select pg_advisory_xact_lock($1)', [SWITCH_LOCK]);
  return currentPolicyDigest(tx);
}

/**
 * Keeps a set as it is given, whatever is stored under its digest: a row that somebody altered is mended by it. Its files must be those of
 * the digest.
 * @returns false when exactly this is stored already
 */
export async function keepPolicySet(tx: Sql, { digest, files, signature }: StoredSet, appliedBy: string, at: Date): Promise<boolean> {
  const written = await tx.run(
    'policy.keep',
    `insert into policy.set (digest, files, signature, applied_by, applied_at) values ($1, $2, $3, $4, $5)
     on conflict (digest) do update set files = excluded.files, signature = excluded.signature
       where policy.set.files <> excluded.files or policy.set.signature is distinct from excluded.signature
     returning 1`,
    [digest, JSON.stringify(files), signature ?? null, appliedBy, at],
  );
  return written.length > 0;
}

/** Makes a kept set the current one; its row must be locked ({@link lockCurrentPolicy}). */
export async function switchPolicy(tx: Sql, to: PolicySwitch): Promise<void> {
  await tx.run(
    'policy.switch',
    `insert into policy.current (digest, since) values ($1, $2)
     on conflict (singleton) do update set digest = excluded.digest, since = excluded.since`,
    [to.digest, to.at],
  );
  await tx.run(
    'policy.note_switch',
    'insert into policy.switch (kind, digest, previous, operator, reason, signer, at) values ($1, $2, $3, $4, $5, $6, $7)',
    [to.kind, to.digest, to.previous ?? null, to.operator, to.reason ?? null, to.signer ?? null, to.at],
  );
  await wakePolicyReaders(tx, to.digest);
}

/** Lets everybody look again who decides by the current set: it was written. */
export async function wakePolicyReaders(tx: Sql, digest: string): Promise<void> {
  await tx.run('policy.wake', `select pg_notify('${CHANNELS.policy}', $1)`, [digest]);
}

/** Stores a set and makes it current, in the caller's transaction. False when exactly this is in force already. */
export async function applyPolicySet(tx: Sql, set: StoredSet & { readonly appliedBy: string; readonly at: Date }): Promise<boolean> {
  const previous = await lockCurrentPolicy(tx);
  const written = await keepPolicySet(tx, set, set.appliedBy, set.at);
  if (previous === set.digest) {
    if (written) await wakePolicyReaders(tx, set.digest);
    return written;
  }
  const { digest, appliedBy: operator, at } = set;
  await switchPolicy(tx, { kind: 'applied', digest, operator, at, ...(previous && { previous }) });
  return true;
}

/** The newest changes of the current set, newest first. */
export async function listPolicySwitches(sql: Sql, limit: number): Promise<PolicySwitch[]> {
  const rows = await sql.run<Record<keyof PolicySwitch, unknown>>(
    'policy.switches',
    'select kind, digest, previous, operator, reason, signer, at from policy.switch order by id desc limit $1',
    [limit],
  );
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as PolicySwitch);
}

/**
 * A hash chain: every record's hash covers the record and the hash before it, so that an edited, dropped,
 * inserted or reordered record is found by anyone who holds a later hash.
 * @module
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '@mayfly/domain';

/** Something that happened, as a service stated it in the same transaction as the change itself. */
export interface Fact {
  /** What happened: an out event's type, or `dev.mayfly.evidence.…` for what has no event. */
  readonly kind: string;
  /** RFC 3339, milliseconds, UTC. */
  readonly at: string;
  readonly tenant?: string | undefined;
  readonly taskId?: string | undefined;
  /** Which service stated it. */
  readonly by: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A fact at its place in the log. */
export interface EvidenceRecord extends Fact {
  /** 0, 1, 2 … without gaps. */
  readonly index: number;
  /** Lower-case hex SHA-256 of the record before; 64 zeros at index 0. */
  readonly previousHash: string;
  /** Lower-case hex SHA-256 over `previousHash` and the RFC 8785 form of everything else. */
  readonly hash: string;
}

/** The `previousHash` of the first record. */
export const GENESIS_HASH = '0'.repeat(64);

/** The hash that a record must have. */
export function hashOf(record: Omit<EvidenceRecord, 'hash'>): string {
  const { previousHash, ...content } = record;
  return createHash('sha256').update(previousHash, 'hex').update(canonicalJson(content)).digest('hex');
}

/** Puts a fact at the end of the chain. `last` is undefined for the first one. */
export function append(last: Pick<EvidenceRecord, 'index' | 'hash'> | undefined, fact: Fact): EvidenceRecord {
  // Through JSON once, so that the hash covers exactly what a reader gets back (no undefined, no Dates).
  const plain = JSON.parse(JSON.stringify(fact)) as Fact;
  const record = { ...plain, index: last ? last.index + 1 : 0, previousHash: last?.hash ?? GENESIS_HASH };
  return { ...record, hash: hashOf(record) };
}

/**
 * Checking a log without trusting who serves it.
 * @module
 */
import { GENESIS_HASH, hashOf, type EvidenceRecord } from './chain.js';

/** What is wrong, and where. */
export interface Flaw {
  /** Index at which the log stops being what it was. */
  readonly index: number;
  readonly problem: 'content-changed' | 'chain-broken' | 'index-gap' | 'shortened' | 'head-differs';
}

/** A head that was seen before: the log must still contain it. */
export interface Head {
  readonly size: number;
  readonly hash: string;
}

/** Checks a log record by record; feed it in order, page by page. */
export class ChainVerifier {
  #size = 0;
  #hash = GENESIS_HASH;
  readonly #known: Head | undefined;

  /** @param known an earlier head that must still be part of the log; without it a shortened log cannot be told from a young one */
  constructor(known?: Head) {
    this.#known = known;
  }

  /** Checks the next record; returns what is wrong with it, or undefined. */
  next(record: EvidenceRecord): Flaw | undefined {
    const index = this.#size;
    if (record.index !== index) return { index, problem: 'index-gap' };
    if (record.previousHash !== this.#hash) return { index, problem: 'chain-broken' };
    const { hash, ...content } = record;
    if (hashOf(content) !== hash) return { index, problem: 'content-changed' };
    this.#size += 1;
    this.#hash = hash;
    if (this.#known && this.#known.size === this.#size && this.#known.hash !== hash) return { index, problem: 'head-differs' };
    return undefined;
  }

  /** After the last record: a flaw when the log is shorter than the head that was seen before. */
  end(): Flaw | undefined {
    return this.#known && this.#size < this.#known.size ? { index: this.#size, problem: 'shortened' } : undefined;
  }

  /** The head of what was checked so far. */
  get head(): Head {
    return { size: this.#size, hash: this.#hash };
  }
}

/** Checks a whole log at once. */
export function verifyChain(records: Iterable<EvidenceRecord>, known?: Head): Flaw | undefined {
  const verifier = new ChainVerifier(known);
  for (const record of records) {
    const flaw = verifier.next(record);
    if (flaw) return flaw;
  }
  return verifier.end();
}

/**
 * Task tokens at rest: encrypted by Vault's transit engine under a key derived from the task id, so that one task's stored token
 * opens for no other task.
 * @module
 */
import { Secret, VaultUnavailable, type TaskId } from '@mayfly/domain';
import type { TaskTokenOpener } from '@mayfly/grant';
import { together } from '@mayfly/worker';
import { isRecord, text } from './answer.js';
import { MintRefused, SealBroken, VaultRefused } from './errors.js';
import type { ServiceSession } from './service-session.js';

const KEY = 'mayfly-task-token';
const base64 = (value: string): string => Buffer.from(value, 'utf8').toString('base64');

/** Tokens of one call at most. */
const AT_ONCE = 64;

/** A token that is to be sealed for its task. */
interface Open {
  readonly token: Secret<string>;
  readonly taskId: TaskId;
}

/** A token that is to be opened, of this task. */
interface Sealed {
  readonly sealed: string;
  readonly taskId: TaskId;
}

/** Seals and opens task tokens with the service's own rights. */
export class TaskTokenSeal implements TaskTokenOpener {
  readonly #seal: (open: Open) => Promise<string | undefined>;
  readonly #open: (sealed: Sealed) => Promise<string | undefined>;

  constructor(private readonly session: ServiceSession) {
    // What was refused may be one of them; where nobody answers, nobody does for each alone.
    const shared = { most: AT_ONCE, apart: (error: unknown) => error instanceof VaultRefused };
    this.#seal = together({ ...shared, work: (all) => this.#sealAll(all) });
    this.#open = together({ ...shared, work: (all) => this.#openAll(all) });
  }

  /** Those that come at the same moment share a call. @throws VaultUnavailable, or MintRefused when Vault does not encrypt */
  async seal(token: Secret<string>, taskId: TaskId): Promise<string> {
    const sealed = await this.#seal({ token, taskId });
    if (!sealed) throw new MintRefused('the sealed task token is missing');
    return sealed;
  }

  /** Those that come at the same moment share a call. @throws VaultUnavailable, or SealBroken when the token is another task's or was altered */
  async open(sealed: string, taskId: TaskId): Promise<Secret<string>> {
    try {
      const token = await this.#open({ sealed, taskId });
      // A yes without what was asked for is not Vault's.
      if (!token) throw new VaultUnavailable();
      return new Secret(Buffer.from(token, 'base64').toString('utf8'));
    } catch (error) {
      throw error instanceof VaultRefused ? new SealBroken() : error;
    }
  }

  #sealAll(all: readonly Open[]): Promise<(string | undefined)[]> {
    const batch = all.map(({ token, taskId }) => ({ plaintext: base64(token.reveal()), context: base64(taskId) }));
    return this.#all('transit/encrypt/{key}', batch, 'ciphertext');
  }

  #openAll(all: readonly Sealed[]): Promise<(string | undefined)[]> {
    const batch = all.map(({ sealed, taskId }) => ({ ciphertext: sealed, context: base64(taskId) }));
    return this.#all('transit/decrypt/{key}', batch, 'plaintext');
  }

  /** Each under a key derived from its own task's id; in their order, and undefined for what is missing. */
  async #all(path: string, batch: readonly object[], field: 'ciphertext' | 'plaintext'): Promise<(string | undefined)[]> {
    const { data } = await this.session.call({
      method: 'POST',
      path,
      values: { key: KEY },
      body: { batch_input: batch },
      idempotent: true,
    });
    const results: readonly unknown[] = Array.isArray(data.batch_results) ? data.batch_results : [];
    // One too many or too few, and nobody knows whose each is.
    return batch.map((_, place) => {
      const result = results.length === batch.length ? results[place] : undefined;
      return isRecord(result) ? text(result[field]) : undefined;
    });
  }
}

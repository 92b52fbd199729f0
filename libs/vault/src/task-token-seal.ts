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
const SEALED_TOGETHER = 64;

/** A token that is to be sealed for its task. */
interface Open {
  readonly token: Secret<string>;
  readonly taskId: TaskId;
}

/** Seals and opens task tokens with the service's own rights. */
export class TaskTokenSeal implements TaskTokenOpener {
  readonly #seal: (open: Open) => Promise<string | undefined>;

  constructor(private readonly session: ServiceSession) {
    this.#seal = together({
      most: SEALED_TOGETHER,
      // What was refused may be one of them; where nobody answers, nobody does for each alone.
      apart: (error) => error instanceof VaultRefused,
      work: (all) => this.#sealAll(all),
    });
  }

  /** Those that come at the same moment share a call. @throws VaultUnavailable, or MintRefused when Vault does not encrypt */
  async seal(token: Secret<string>, taskId: TaskId): Promise<string> {
    const sealed = await this.#seal({ token, taskId });
    if (!sealed) throw new MintRefused('the sealed task token is missing');
    return sealed;
  }

  /** Each under a key derived from its own task's id; in their order, and undefined for what is missing. */
  async #sealAll(all: readonly Open[]): Promise<(string | undefined)[]> {
    const { data } = await this.session.call({
      method: 'POST',
      path: 'transit/encrypt/{key}',
      values: { key: KEY },
      body: { batch_input: all.map(({ token, taskId }) => ({ plaintext: base64(token.reveal()), context: base64(taskId) })) },
      idempotent: true,
    });
    const results: readonly unknown[] = Array.isArray(data.batch_results) ? data.batch_results : [];
    // One too many or too few, and nobody knows whose each is.
    return all.map((_, place) => {
      const result = results.length === all.length ? results[place] : undefined;
      return isRecord(result) ? text(result.ciphertext) : undefined;
    });
  }

  /** @throws VaultUnavailable, or SealBroken when the token is another task's or was altered */
  async open(sealed: string, taskId: TaskId): Promise<Secret<string>> {
    try {
      const answer = await this.session.call({
        method: 'POST',
        path: 'transit/decrypt/{key}',
        values: { key: KEY },
        body: { ciphertext: sealed, context: base64(taskId) },
        idempotent: true,
      });
      const token = text(answer.data.plaintext);
      // A yes without what was asked for is not Vault's.
      if (!token) throw new VaultUnavailable();
      return new Secret(Buffer.from(token, 'base64').toString('utf8'));
    } catch (error) {
      throw error instanceof VaultRefused ? new SealBroken() : error;
    }
  }
}

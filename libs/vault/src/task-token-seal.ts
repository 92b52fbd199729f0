/**
 * Task tokens at rest: encrypted by Vault's transit engine under a key derived from the task id, so that one task's stored token
 * opens for no other task.
 * @module
 */
import { Secret, VaultUnavailable, type TaskId } from '@mayfly/domain';
import type { TaskTokenOpener } from '@mayfly/grant';
import { text } from './answer.js';
import { MintRefused, SealBroken, VaultRefused } from './errors.js';
import type { ServiceSession } from './service-session.js';

const KEY = 'mayfly-task-token';
const base64 = (value: string): string => Buffer.from(value, 'utf8').toString('base64');

/** Seals and opens task tokens with the service's own rights. */
export class TaskTokenSeal implements TaskTokenOpener {
  constructor(private readonly session: ServiceSession) {}

  /** @throws VaultUnavailable, or MintRefused when Vault does not encrypt */
  async seal(token: Secret<string>, taskId: TaskId): Promise<string> {
    const answer = await this.session.call({
      method: 'POST',
      path: 'transit/encrypt/{key}',
      values: { key: KEY },
      body: { plaintext: base64(token.reveal()), context: base64(taskId) },
      idempotent: true,
    });
    const sealed = text(answer.data.ciphertext);
    if (!sealed) throw new MintRefused('the sealed task token is missing');
    return sealed;
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

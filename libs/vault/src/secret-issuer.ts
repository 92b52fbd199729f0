/**
 * Minting with a task's token, and keeping material where only that token reaches it.
 * @module
 */
import { Secret, VaultUnavailable, type Clock, type LeaseRef, type SecretMaterial } from '@mayfly/domain';
import type { Minted, MintRequest, SecretIssuer } from '@mayfly/grant';
import { isRecord, type VaultAnswer } from './answer.js';
import type { VaultClient } from './client.js';
import type { SecretsEngine } from './engines/engine.js';
import { ENGINE_TABLE } from './engines/table.js';
import { isRefusal, MintRefused, VaultRefused } from './errors.js';

/** Needs no right of its own in Vault: everything is done with the task's token. */
export class VaultSecretIssuer implements SecretIssuer {
  constructor(
    private readonly client: VaultClient,
    private readonly clock: Clock,
  ) {}

  /**
   * A call whose answer is lost may have minted all the same; that lease hangs on the task's token and ends with it, and its principal
   * carries the grant's id.
   * @throws VaultUnavailable, or MintRefused
   */
  async mint({ capability, ttlSeconds, token }: MintRequest): Promise<Minted> {
    const engine = ENGINE_TABLE[capability.engine];
    try {
      const answer = await this.client.call({ ...engine.call(capability, ttlSeconds), token, idempotent: false, reachesTarget: true });
      try {
        return await this.#accepted(engine, answer, ttlSeconds, token);
      } catch (error) {
        await this.#discard(answer.leaseId, token);
        throw error;
      }
    } catch (error) {
      throw error instanceof VaultRefused ? new MintRefused(`\`${capability.name}\``) : error;
    }
  }

  discard(token: Secret<string>, { vaultLeaseId }: Minted): Promise<void> {
    return this.#discard(vaultLeaseId ?? '', token);
  }

  async keep(token: Secret<string>, leaseRef: LeaseRef, material: SecretMaterial): Promise<void> {
    await this.#cubbyhole('POST', token, leaseRef, { material: material.reveal() });
  }

  async copy(from: Secret<string>, to: Secret<string>, leaseRef: LeaseRef): Promise<void> {
    const material = await this.#kept(from, leaseRef);
    if (material) await this.keep(to, leaseRef, material);
  }

  /** Reads and deletes. When the deletion fails nothing was taken, and it may be tried again. */
  async take(token: Secret<string>, leaseRef: LeaseRef): Promise<SecretMaterial | undefined> {
    const material = await this.#kept(token, leaseRef);
    if (material) await this.#cubbyhole('DELETE', token, leaseRef);
    return material;
  }

  async #kept(token: Secret<string>, leaseRef: LeaseRef): Promise<SecretMaterial | undefined> {
    try {
      const { data } = await this.#cubbyhole('GET', token, leaseRef);
      // Not what was kept: whoever answered was not Vault.
      if (!isRecord(data.material)) throw new VaultUnavailable();
      return new Secret(data.material);
    } catch (error) {
      if (isRefusal(error, 'not-found')) return undefined;
      throw error;
    }
  }

  async #accepted(engine: SecretsEngine, answer: VaultAnswer, ttlSeconds: number, token: Secret<string>): Promise<Minted> {
    if (answer.warnings.length > 0) throw new MintRefused('Vault warns of something');
    if (engine.leases !== (answer.leaseId !== '')) throw new MintRefused('it has a lease where none belongs, or none where one does');
    const leaseSeconds = engine.life === 'by-renewal' ? await this.#fit(answer, ttlSeconds, token) : answer.leaseSeconds;
    const minted = engine.read(answer.data, { now: this.clock.now(), leaseSeconds });
    if (!minted) throw new MintRefused('the answer lacks a part of the credential');
    return { ...minted, ...(answer.leaseId && { vaultLeaseId: answer.leaseId }) };
  }

  /** Renewing a fresh lease by the wanted life makes it shorter or longer, and tells the target. */
  async #fit({ leaseId, leaseSeconds }: VaultAnswer, ttlSeconds: number, token: Secret<string>): Promise<number> {
    if (leaseSeconds === ttlSeconds) return leaseSeconds;
    if (leaseSeconds <= 0) throw new MintRefused('it would never end');
    const renewed = await this.client.call({
      method: 'POST',
      path: 'sys/leases/renew',
      body: { lease_id: leaseId, increment: ttlSeconds },
      token,
      idempotent: true,
      reachesTarget: true,
    });
    if (renewed.warnings.length > 0 || renewed.leaseSeconds !== ttlSeconds) throw new MintRefused('its life cannot be as wanted');
    return ttlSeconds;
  }

  /** Ends what may have been minted. If that fails it still hangs on the task's token. */
  async #discard(leaseId: string, token: Secret<string>): Promise<void> {
    if (!leaseId) return;
    const body = { lease_id: leaseId, sync: true };
    await this.client
      .call({ method: 'POST', path: 'sys/leases/revoke', body, token, idempotent: true, reachesTarget: true })
      .catch(() => undefined);
  }

  #cubbyhole(
    method: 'GET' | 'POST' | 'DELETE',
    token: Secret<string>,
    leaseRef: LeaseRef,
    body?: Record<string, unknown>,
  ): Promise<VaultAnswer> {
    return this.client.call({
      method,
      path: 'cubbyhole/{lease}',
      values: { lease: leaseRef },
      token,
      idempotent: true,
      ...(body && { body }),
    });
  }
}

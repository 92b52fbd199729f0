/**
 * Ending leases and tokens, and looking whether they are gone.
 * @module
 */
import type { SecretRevoker, TokenAnswer } from '@mayfly/revocation';
import { number, text, type VaultAnswer } from './answer.js';
import { isRefusal, RevokeFailed, VaultRefused } from './errors.js';
import { isOnList } from './revocation-list.js';
import type { ServiceSession } from './service-session.js';

/** A synchronous revocation waits for the target, which may have sessions to end. */
const REVOKE_TIMEOUT_MS = 15_000;

/** Revokes and looks up with the service's own rights; it can read no secret. */
export class VaultSecretRevoker implements SecretRevoker {
  constructor(private readonly session: ServiceSession) {}

  async revokeLease(vaultLeaseId: string): Promise<void> {
    try {
      await this.#post('sys/leases/revoke', { lease_id: vaultLeaseId, sync: true }, REVOKE_TIMEOUT_MS);
    } catch (error) {
      if (isRefusal(error, 'invalid-lease')) return;
      throw error instanceof VaultRefused ? new RevokeFailed('a lease') : error;
    }
  }

  isLeaseGone(vaultLeaseId: string): Promise<boolean> {
    return this.#refusedAs('invalid-lease', () => this.#post('sys/leases/lookup', { lease_id: vaultLeaseId }));
  }

  async revokeToken(accessor: string): Promise<TokenAnswer> {
    try {
      // Of a token that is gone already OpenBao says so in a warning, Vault in an error.
      await this.#post('auth/token/revoke-accessor', { accessor }, REVOKE_TIMEOUT_MS);
      return 'asked';
    } catch (error) {
      if (isRefusal(error, 'invalid-accessor')) return 'asked';
      // Measured on OpenBao 2.7.2 after kill -9 in a revocation: the entry is marked or deleted, and only its accessor is left.
      if (isRefusal(error, 'unknown-token')) return 'unusable';
      throw error instanceof VaultRefused ? new RevokeFailed('a task token') : error;
    }
  }

  isTokenGone(accessor: string): Promise<boolean> {
    return this.#refusedAs('invalid-accessor', () => this.#post('auth/token/lookup-accessor', { accessor }));
  }

  async revokeCertificate(mount: string, serialNumber: string): Promise<void> {
    try {
      await this.#post(`${mount}/revoke`, { serial_number: serialNumber }, REVOKE_TIMEOUT_MS);
    } catch (error) {
      throw error instanceof VaultRefused ? new RevokeFailed('a certificate') : error;
    }
  }

  /** A certificate that Vault does not know is not a revoked one; nor is one that is not on the list which everybody else reads. */
  async isCertificateRevoked(mount: string, serialNumber: string): Promise<boolean> {
    try {
      const { data } = await this.#certificate(mount, serialNumber);
      if ((number(data.revocation_time) ?? 0) === 0) return false;
      const list = text((await this.#certificate(mount, 'crl')).data.certificate);
      return list !== undefined && isOnList(list, serialNumber);
    } catch (error) {
      if (error instanceof VaultRefused) return false;
      throw error;
    }
  }

  #certificate(mount: string, serial: string): Promise<VaultAnswer> {
    return this.session.call({ method: 'GET', path: '{+mount}/cert/{serial}', values: { mount, serial }, idempotent: true });
  }

  /** True for that one refusal; an answer, or another refusal, is no proof of anything. */
  async #refusedAs(reason: 'invalid-lease' | 'invalid-accessor', look: () => Promise<unknown>): Promise<boolean> {
    try {
      await look();
      return false;
    } catch (error) {
      if (error instanceof VaultRefused) return error.reason === reason;
      throw error;
    }
  }

  #post(path: string, body: Record<string, unknown>, timeoutMs?: number): Promise<VaultAnswer> {
    return this.session.call({ method: 'POST', path, body, idempotent: true, ...(timeoutMs && { timeoutMs, reachesTarget: true }) });
  }
}

/**
 * Listing what exists in Vault. The listing paths want `sudo`, so they have a role of their own that can list and look up, and end nothing.
 * @module
 */
import { randomUUID, X509Certificate } from 'node:crypto';
import { digestOf, isGrantId, VaultUnavailable, type Capability, type GrantId } from '@mayfly/domain';
import type { VaultConfiguration, VaultInventory } from '@mayfly/revocation';
import { number, text, type VaultAnswer } from './answer.js';
import { configured } from './configured.js';
import { ENGINE_TABLE } from './engines/table.js';
import { InventoryRefused, isRefusal, VaultRefused } from './errors.js';
import { fillPath } from './path.js';
import type { ServiceSession } from './service-session.js';

/** A list of ten thousand is not a look-up. */
const LIST_TIMEOUT_MS = 15_000;

/** Lists and looks up with the reconciler's own rights. */
export class VaultLister implements VaultInventory, VaultConfiguration {
  constructor(private readonly session: ServiceSession) {}

  tokens(): Promise<string[]> {
    return this.#list('auth/token/accessors');
  }

  async grantOfToken(accessor: string): Promise<GrantId | undefined> {
    try {
      const meta = (await this.#known(() => this.#lookUp(accessor)))?.data.meta;
      const grantId = typeof meta === 'object' && meta !== null && 'grantId' in meta ? String(meta.grantId) : '';
      return isGrantId(grantId) ? grantId : undefined;
    } catch (error) {
      if (error instanceof InventoryRefused && (await this.#mayLookUp())) return undefined;
      throw error;
    }
  }

  #lookUp(accessor: string): Promise<VaultAnswer> {
    return this.session.call({ method: 'POST', path: 'auth/token/lookup-accessor', body: { accessor }, idempotent: true });
  }

  /**
   * Measured on OpenBao 2.7.2: an accessor whose token a kill -9 has taken away stays in the list, and looking it up is refused in the words
   * of a missing privilege. Whether the privilege is there, an accessor that nobody ever had tells: a look-up that is allowed does not know it.
   */
  async #mayLookUp(): Promise<boolean> {
    return this.#lookUp(randomUUID()).then(
      () => false,
      (error: unknown) => isRefusal(error, 'invalid-accessor'),
    );
  }

  async leases(capability: Capability): Promise<string[]> {
    const { path, values } = ENGINE_TABLE[capability.engine].call(capability, 1);
    const prefix = fillPath(path, values);
    return (await this.#list('sys/leases/lookup/{+prefix}', { prefix })).map((key) => `${prefix}/${key}`);
  }

  certificates(mount: string): Promise<string[]> {
    return this.#list('{+mount}/certs', { mount });
  }

  async liveCertificate({ mount, parameters = {} }: Capability, serialNumber: string): Promise<{ readonly expiresAt: Date } | undefined> {
    const call = { method: 'GET', path: '{+mount}/cert/{serial}', values: { mount, serial: serialNumber }, idempotent: true } as const;
    const answer = await this.#known(() => this.session.call(call));
    const pem = text(answer?.data.certificate);
    if (!pem || (number(answer?.data.revocation_time) ?? 0) > 0) return undefined;
    const certificate = new X509Certificate(pem);
    // Others may use the mount too; what the capability never asks for is not ours.
    const ours = !certificate.ca && certificate.subject.split('\n').includes(`CN=${parameters['common_name'] ?? ''}`);
    const expiresAt = new Date(certificate.validTo);
    return ours && expiresAt.getTime() > Date.now() ? { expiresAt } : undefined;
  }

  async digest(capability: Capability): Promise<string | undefined> {
    const { path, values, volatile } = ENGINE_TABLE[capability.engine].configuration(capability);
    const [policy, configuration] = await Promise.all([
      this.#read('sys/policies/acl/{policy}', { policy: capability.vaultPolicy }),
      this.#read(path, values),
    ]);
    if (!policy || !configuration) return undefined;
    return digestOf({ policy: policy['policy'], configuration: configured(configuration, volatile) });
  }

  async #read(path: string, values: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>> | undefined> {
    return (await this.#known(() => this.session.call({ method: 'GET', path, values, idempotent: true })))?.data;
  }

  async irrevocableLeases(): Promise<number> {
    const call = { method: 'GET', path: 'sys/leases/count', query: { type: 'irrevocable' }, idempotent: true } as const;
    return number((await this.session.call(call)).data.lease_count) ?? 0;
  }

  /** An empty list answers "not found". */
  async #list(path: string, values: Readonly<Record<string, string>> = {}): Promise<string[]> {
    const call = { method: 'GET', path, values, query: { list: 'true' }, idempotent: true, timeoutMs: LIST_TIMEOUT_MS } as const;
    const { keys } = (await this.#known(() => this.session.call(call)))?.data ?? {};
    return Array.isArray(keys) ? keys.map(String) : [];
  }

  /** Undefined for what does not exist. A refusal for lack of privilege is not an empty list. @throws VaultUnavailable for a page that is not Vault's */
  async #known(call: () => Promise<VaultAnswer>): Promise<VaultAnswer | undefined> {
    try {
      const answer = await call();
      // Whatever stands in Vault's place and says 200 would be an empty list, or a configuration that nobody has declared.
      if (text(answer.body.request_id) === undefined)
        throw new VaultUnavailable('the answer is not the secrets engine’s; look at what stands before it');
      return answer;
    } catch (error) {
      if (isRefusal(error, 'not-found') || isRefusal(error, 'invalid-accessor')) return undefined;
      throw error instanceof VaultRefused ? new InventoryRefused(error) : error;
    }
  }
}

/**
 * Certificates. Their role makes leases, so that a revocation puts them on the mount's list.
 * @module
 */
import { Secret } from '@mayfly/domain';
import { number, text, texts } from '../answer.js';
import type { SecretsEngine } from './engine.js';
import { parametersOf } from './parameters.js';

/** The name comes from the catalogue, never from the task. */
const call: SecretsEngine['call'] = (capability, ttlSeconds) => {
  const parameters = parametersOf(capability, ['common_name', 'alt_names', 'ip_sans', 'uri_sans']);
  const body = { ...parameters, ttl: `${ttlSeconds}s` };
  return { method: 'POST', path: `${capability.mount}/issue/{role}`, values: { role: capability.role }, body };
};

/** Its end is read from the certificate, which Vault rounds to seconds. */
const read: SecretsEngine['read'] = (data) => {
  const found = texts(data, 'certificate', 'private_key', 'serial_number', 'issuing_ca');
  const expiration = number(data.expiration);
  if (!found || expiration === undefined) return undefined;
  const chain = Array.isArray(data.ca_chain) ? data.ca_chain.map(text).filter((link) => link !== undefined) : [];
  const material = {
    certificate: found.certificate,
    privateKey: found.private_key,
    caChain: chain.length > 0 ? chain : [found.issuing_ca],
    serialNumber: found.serial_number,
  };
  return { material: new Secret(material), principal: found.serial_number, expiresAt: new Date(expiration * 1000) };
};

/** Its role. */
const configuration: SecretsEngine['configuration'] = ({ mount, role }) => ({
  path: `${mount}/roles/{role}`,
  values: { role },
  volatile: [],
});

/** `{ certificate, privateKey, caChain, serialNumber }`, PEM; `caChain` is a list. The principal is the serial number. */
export const pki: SecretsEngine = { leases: true, life: 'in-call', call, configuration, read };

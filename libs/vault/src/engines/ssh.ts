/**
 * SSH certificates. Nobody can revoke one, so its end is read from the certificate itself.
 * @module
 */
import { Secret } from '@mayfly/domain';
import { texts } from '../answer.js';
import type { SecretsEngine } from './engine.js';
import { parametersOf } from './parameters.js';
import { sshValidBefore } from './ssh-validity.js';

/** Vault makes the key pair; the private half is nowhere else. */
const call: SecretsEngine['call'] = (capability, ttlSeconds) => {
  const body = { key_type: 'ed25519', ...parametersOf(capability, ['valid_principals']), ttl: `${ttlSeconds}s` };
  return { method: 'POST', path: `${capability.mount}/issue/{role}`, values: { role: capability.role }, body };
};

/** Only Ed25519 is understood, which is what the call asks for. */
const read: SecretsEngine['read'] = (data) => {
  const found = texts(data, 'signed_key', 'private_key', 'serial_number');
  const expiresAt = found && sshValidBefore(found.signed_key);
  if (!found || !expiresAt) return undefined;
  const material = { signedKey: found.signed_key, privateKey: found.private_key, serialNumber: found.serial_number };
  return { material: new Secret(material), principal: found.serial_number, expiresAt };
};

/** Its role. */
const configuration: SecretsEngine['configuration'] = ({ mount, role }) => ({
  path: `${mount}/roles/{role}`,
  values: { role },
  volatile: [],
});

/** `{ signedKey, privateKey, serialNumber }`, in OpenSSH's forms. The principal is the serial number. */
export const ssh: SecretsEngine = { leases: false, life: 'in-call', call, configuration, read };

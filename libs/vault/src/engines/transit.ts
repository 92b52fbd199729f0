/**
 * Data keys. Vault keeps no copy and cannot end one; the ciphertext opens again for whoever may use the key.
 * @module
 */
import { Secret } from '@mayfly/domain';
import { texts } from '../answer.js';
import type { SecretsEngine } from './engine.js';
import { parametersOf } from './parameters.js';

/** Each call makes another key. */
const call: SecretsEngine['call'] = (capability) => {
  parametersOf(capability, []);
  return { method: 'POST', path: `${capability.mount}/datakey/plaintext/{key}`, values: { key: capability.role }, body: {} };
};

/** Nothing of it can end, so it has neither principal nor end. */
const read: SecretsEngine['read'] = (data) => {
  const material = texts(data, 'plaintext', 'ciphertext');
  return material && { material: new Secret(material) };
};

/** What the key is and may be used for; not its versions, which a rotation adds to. */
const configuration: SecretsEngine['configuration'] = ({ mount, role }) => ({
  path: `${mount}/keys/{key}`,
  values: { key: role },
  volatile: ['keys', 'latest_version', 'min_available_version'],
});

/** `{ plaintext, ciphertext }`: the key in base64, and the same key encrypted. */
export const transit: SecretsEngine = { leases: false, life: 'none', call, configuration, read };

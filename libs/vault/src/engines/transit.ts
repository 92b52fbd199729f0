/**
 * Data keys. Vault keeps no copy and cannot end one; the ciphertext opens again for whoever may use the key.
 * @module
 */
import { Secret } from '@mayfly/domain';
import { texts } from '../answer.js';
import type { SecretsEngine } from './engine.js';
import { parametersOf } from './parameters.js';

/** `{ plaintext, ciphertext }`: the key in base64, and the same key encrypted. */
export const transit: SecretsEngine = {
  leases: false,
  life: 'none',
  call(capability) {
    parametersOf(capability, []);
    return { method: 'POST', path: `${capability.mount}/datakey/plaintext/{key}`, values: { key: capability.role }, body: {} };
  },
  read(data) {
    const material = texts(data, 'plaintext', 'ciphertext');
    return material && { material: new Secret(material) };
  },
};

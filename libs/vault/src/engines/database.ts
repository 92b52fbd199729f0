/**
 * Dynamic database users. Delivery adds where the database is.
 * @module
 */
import { plusSeconds, Secret } from '@mayfly/domain';
import { texts } from '../answer.js';
import type { SecretsEngine } from './engine.js';
import { parametersOf } from './parameters.js';

/** A reading call that creates a user each time. */
const call: SecretsEngine['call'] = (capability) => {
  parametersOf(capability, []);
  return { method: 'GET', path: `${capability.mount}/creds/{role}`, values: { role: capability.role } };
};

/** The user's name carries the grant's id (`username_template`). */
const read: SecretsEngine['read'] = (data, { now, leaseSeconds }) => {
  const material = texts(data, 'username', 'password');
  return material && { material: new Secret(material), principal: material.username, expiresAt: plusSeconds(now, leaseSeconds) };
};

/** Its role. */
const configuration: SecretsEngine['configuration'] = ({ mount, role }) => ({
  path: `${mount}/roles/{role}`,
  values: { role },
  volatile: [],
});

/** `{ username, password }`; the principal is the user. */
export const database: SecretsEngine = { leases: true, life: 'by-renewal', call, configuration, read };

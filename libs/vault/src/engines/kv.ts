/**
 * Stored objects, KV version 2. They have no lease and do not end with a task; only the way to them closes.
 * @module
 */
import { Secret } from '@mayfly/domain';
import { number } from '../answer.js';
import type { SecretsEngine } from './engine.js';
import { parametersOf } from './parameters.js';

/** Reads the newest version. */
const call: SecretsEngine['call'] = (capability) => {
  parametersOf(capability, []);
  return { method: 'GET', path: `${capability.mount}/data/{+path}`, values: { path: capability.role } };
};

/** A deleted version answers without an object. */
const read: SecretsEngine['read'] = ({ data: stored, metadata }) => {
  if (typeof stored !== 'object' || stored === null) return undefined;
  const version = typeof metadata === 'object' && metadata !== null && 'version' in metadata ? number(metadata.version) : undefined;
  const material = new Secret(stored as Readonly<Record<string, unknown>>);
  return { material, ...(version !== undefined && { principal: `version ${version}` }) };
};

/** Its metadata: how many versions are kept, and for how long; not which there are. */
const configuration: SecretsEngine['configuration'] = ({ mount, role }) => ({
  path: `${mount}/metadata/{+path}`,
  values: { path: role },
  volatile: ['versions', 'current_version', 'oldest_version', 'created_time', 'updated_time', 'current_metadata_version'],
});

/** The stored object as it is. The principal is its version. */
export const kv: SecretsEngine = { leases: false, life: 'none', call, configuration, read };

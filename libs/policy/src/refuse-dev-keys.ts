/**
 * What production does not trust.
 * @module
 */
import { isDevKey } from '@mayfly/identity';
import { InvalidPolicySet } from './errors.js';
import type { PolicySet } from './policy-set.js';
import { REGISTRATIONS_FILE } from './read-registrations.js';

/**
 * Refuses a set that trusts a key whose private half is published with the source code: everybody could sign with it.
 * @throws InvalidPolicySet that names the owner and the key
 */
export function refuseDevKeys({ orchestrators, transmitters }: PolicySet): void {
  const owners = [
    ...orchestrators.map(({ source, keys }) => ({ owner: `orchestrators › ${source}`, keys })),
    ...transmitters.map(({ issuer, keys }) => ({ owner: `transmitters › ${issuer}`, keys })),
  ];
  for (const { owner, keys } of owners) {
    const key = keys.find(isDevKey);
    if (!key) continue;
    const problem = `${owner} › keys: ${key.kid} is a published development key; put your own there (MAYFLY_PROFILE=dev allows it)`;
    throw new InvalidPolicySet(REGISTRATIONS_FILE, problem);
  }
}

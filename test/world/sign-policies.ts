/** Standing behind a policy set on the local stack, as `mayfly policy sign` does. */
import { readFileSync } from 'node:fs';
import { POLICY_SIGNATURE_TYPE, readPolicySet, type PolicyFiles } from '@mayfly/policy';
import { CompactSign, importJWK, type JWK } from 'jose';
import type { World } from './world.js';

/** The signature of these files by the key that the stack's services know. */
export async function signPolicies({ dev }: World, files: PolicyFiles): Promise<string> {
  const key = JSON.parse(readFileSync(dev.keys.policy, 'utf8')) as JWK & { alg: string; kid: string };
  const statement = { policySet: readPolicySet(files).digest, iat: Math.floor(Date.now() / 1000) };
  return new CompactSign(Buffer.from(JSON.stringify(statement)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: POLICY_SIGNATURE_TYPE })
    .sign(await importJWK(key));
}

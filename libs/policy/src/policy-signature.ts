/**
 * The signature of a policy set: who may write in the ledger may not for that reason decide what is permitted.
 * @module
 */
import { BadConfig } from '@mayfly/domain';
import { isDevKey, policyKeyForm, RefusedToken, verifyStatement, type PolicyKey } from '@mayfly/identity';
import { z } from 'zod';
import { PolicySignatureRefused } from './errors.js';

/** `typ` of the signature's header, so that no other token can pass for a policy set's signature, or the other way round. */
export const POLICY_SIGNATURE_TYPE = 'mayfly-policy-set+jws';
/** What may sign a policy set. */
export const POLICY_SIGNATURE_ALGORITHMS = ['EdDSA', 'ES256', 'ES384', 'ES512'];

/** Payload of the signature. */
const statement = z.strictObject({
  /** Digest of the set's files. */
  policySet: z.string(),
  /** When it was signed, in seconds since 1970. */
  iat: z.int(),
});

/** Whose signatures count. */
export interface PolicySigners {
  readonly keys: readonly PolicyKey[];
  /** What becomes of a set without a signature; one with a wrong signature never counts. */
  readonly unsigned: 'refused' | 'accepted';
}

const keySet = z.strictObject({ keys: z.array(policyKeyForm).min(1).max(16) });

/**
 * The keys of a JWK Set in JSON.
 * @param profile in `dev` a published development key may sign
 * @throws BadConfig
 */
export function readPolicyKeys(text: string, profile: string): readonly PolicyKey[] {
  const read = keySet.safeParse(parsed(text));
  if (!read.success) {
    const where = read.error.issues[0]?.path.join('.') || 'keys';
    throw new BadConfig(`the policy keys are no JWK Set of public EC or Ed25519 keys with kid and alg; look at ${where}`);
  }
  const { keys } = read.data;
  if (new Set(keys.map(({ kid }) => kid)).size !== keys.length) throw new BadConfig('the policy keys have one kid twice');
  if (profile !== 'dev' && keys.some(isDevKey)) throw new BadConfig('a policy key is a published development key; put your own there');
  return keys;
}

/**
 * Checks that one of the signers stands behind a set with this digest.
 * @returns the `kid` of who does; undefined for an unsigned one that is accepted
 * @throws PolicySignatureRefused
 */
export async function vouchForSet(
  digest: string,
  signature: string | undefined,
  { keys, unsigned }: PolicySigners,
): Promise<string | undefined> {
  if (signature === undefined) {
    if (unsigned === 'accepted') return undefined;
    throw new PolicySignatureRefused('the policy set is not signed; sign it with `mayfly policy sign`');
  }
  const { keyId, claims } = await verified(signature, keys);
  const said = statement.safeParse(claims).data;
  if (said?.policySet !== digest) throw new PolicySignatureRefused('the signature is for another policy set; sign this one');
  return keyId;
}

async function verified(signature: string, keys: readonly PolicyKey[]) {
  try {
    return await verifyStatement(signature, POLICY_SIGNATURE_TYPE, keys, POLICY_SIGNATURE_ALGORITHMS);
  } catch (error) {
    if (!(error instanceof RefusedToken)) throw error;
    throw new PolicySignatureRefused(
      `the signature of the policy set proves nothing (${error.cause}); sign it with a key that this installation knows`,
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

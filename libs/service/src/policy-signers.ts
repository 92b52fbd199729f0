/**
 * Whose policy sets a process believes.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { BadConfig } from '@mayfly/domain';
import { readPolicyKeys, vouchForSet } from '@mayfly/policy';
import type { StoredSet } from '@mayfly/store';
import { z } from 'zod';
import type { Profile } from './profile.js';

/** What a service that reads policy sets needs besides. */
export const POLICY = {
  /** JWK Set of the public keys that may sign policy sets. Production cannot do without. */
  MAYFLY_POLICY_KEYS_FILE: z.string().min(1).optional(),
  /** Whether a set must be signed; `accepted`, in the dev profile only, lets one without a signature count too. */
  MAYFLY_POLICY_SIGNATURES: z.enum(['required', 'accepted']).optional(),
};

/** See {@link POLICY}. */
export interface PolicySettings {
  readonly MAYFLY_PROFILE: Profile;
  readonly MAYFLY_POLICY_KEYS_FILE?: string | undefined;
  readonly MAYFLY_POLICY_SIGNATURES?: 'required' | 'accepted' | undefined;
}

/**
 * What checks that somebody who may stands behind a policy set. It gives the `kid` of who does. Without keys, as only the dev profile can
 * be, nobody has to. The keys are read again for each set, so that one that was lost can be taken away.
 * @throws BadConfig when there are no such keys
 */
export async function policyVoucher(
  settings: PolicySettings,
): Promise<(set: Pick<StoredSet, 'digest' | 'signature'>) => Promise<string | undefined>> {
  const { MAYFLY_POLICY_KEYS_FILE: file, MAYFLY_PROFILE: profile } = settings;
  const required =
    profile === 'production' || (settings.MAYFLY_POLICY_SIGNATURES ?? (file === undefined ? 'accepted' : 'required')) === 'required';
  const keys = async () => (file === undefined ? [] : readPolicyKeys(await read(file), profile));
  if (required && (await keys()).length === 0) throw new BadConfig('MAYFLY_POLICY_KEYS_FILE names nobody who may sign policy sets');
  return async ({ digest, signature }) =>
    vouchForSet(digest, signature, { keys: await keys(), unsigned: required ? 'refused' : 'accepted' });
}

const read = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch(() => {
    throw new BadConfig('the file of MAYFLY_POLICY_KEYS_FILE cannot be read');
  });

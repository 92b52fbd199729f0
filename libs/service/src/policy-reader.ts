/**
 * Who decides, by configuration.
 * @module
 */
import { BadConfig } from '@mayfly/domain';
import { cedarJudge, readPolicy, type Policy, type PolicyFiles } from '@mayfly/policy';
import { z } from 'zod';
import { remoteJudge } from './remote-judge.js';

/** What a service that decides needs besides. */
export const DECIDER = {
  /** `cedar`: the policies of the set, in this process. `authzen`, `opa`: the decider at `MAYFLY_PDP_URL`; the set's registrations come first all the same. */
  MAYFLY_DECIDER: z.enum(['cedar', 'authzen', 'opa']).default('cedar'),
  /** Where questions are posted to, in full: an access evaluation endpoint, or `…/v1/data/<package>/<rule>` of an OPA. */
  MAYFLY_PDP_URL: z
    .url({ protocol: /^https?$/ })
    .regex(/^[^#@]*$/)
    .optional(),
  /** File with the bearer token that it expects. */
  MAYFLY_PDP_TOKEN_FILE: z.string().min(1).optional(),
  MAYFLY_PDP_TIMEOUT_MILLISECONDS: z.coerce.number().int().min(10).max(10_000).default(1_000),
};

/** See {@link DECIDER}. */
export type DeciderSettings = Readonly<z.infer<z.ZodObject<typeof DECIDER>>>;

/**
 * What makes a policy of a set's files.
 * @throws BadConfig when a decider elsewhere has no address, or an address has no decider
 */
export function policyReader(settings: DeciderSettings): (files: PolicyFiles) => Policy {
  const { MAYFLY_DECIDER: kind, MAYFLY_PDP_URL: url, MAYFLY_PDP_TOKEN_FILE: tokenFile } = settings;
  if (kind === 'cedar') {
    if (url !== undefined || tokenFile !== undefined)
      throw new BadConfig('MAYFLY_PDP_URL has no effect; say MAYFLY_DECIDER=authzen or opa');
    return (files) => readPolicy(files, cedarJudge);
  }
  if (url === undefined) throw new BadConfig(`MAYFLY_PDP_URL must say where the ${kind} decider is`);
  const judge = remoteJudge({ kind, url, tokenFile, timeoutMilliseconds: settings.MAYFLY_PDP_TIMEOUT_MILLISECONDS });
  return (files) => readPolicy(files, () => judge);
}

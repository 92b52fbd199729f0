import { BASE, DECIDER, POLICY, readSettings, VAULT } from '@mayfly/service';
import { z } from 'zod';

/** Delivery's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readSettings(
    {
      ...BASE,
      ...DECIDER,
      ...POLICY,
      ...VAULT,
      MAYFLY_TARGETS_FILE: z.string().min(1),
      MAYFLY_TRUST_FILE: z.string().min(1),
      /** Where agents send their requests to, when that is not this process's own address. Proofs (DPoP) name it. */
      MAYFLY_PUBLIC_URL: z
        .url({ protocol: /^https?$/ })
        .regex(/^[^?#]*$/)
        .optional(),
    },
    env,
  );

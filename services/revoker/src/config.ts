import { BASE, EVENTS, readSettings, VAULT } from '@mayfly/service';
import { ORPHAN_AFTER_SECONDS } from '@mayfly/revocation';
import { z } from 'zod';

/** The revoker's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readSettings(
    {
      ...BASE,
      ...EVENTS,
      ...VAULT,
      /** The role in which it lists what exists in Vault, and ends nothing. */
      VAULT_RECONCILER_ROLE: z.string().min(1).default('mayfly-reconciler'),
      MAYFLY_TARGETS_FILE: z.string().min(1),
      ORPHAN_AFTER_SECONDS: z.coerce.number().min(1).default(ORPHAN_AFTER_SECONDS),
    },
    env,
  );

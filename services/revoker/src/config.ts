import { BASE, EVENTS, POLICY, readSettings, VAULT } from '@mayfly/service';
import { ORPHAN_AFTER_SECONDS } from '@mayfly/revocation';
import { z } from 'zod';

/** The revoker's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readSettings(
    {
      ...BASE,
      ...POLICY,
      ...EVENTS,
      ...VAULT,
      /** The role in which it lists what exists in Vault, and ends nothing. */
      VAULT_RECONCILER_ROLE: z.string().min(1).default('mayfly-reconciler'),
      MAYFLY_TARGETS_FILE: z.string().min(1),
      /** Grants whose end is carried out side by side. Together they share the statements of the ledger; more bring little once Vault is busy, and let another end wait longer. Of one target's leases fewer are revoked at once. */
      KILLS_AT_ONCE: z.coerce.number().int().min(1).max(256).default(32),
      /** How often what the catalogue declares of Vault is compared with Vault. Longer than this plus a second nothing is minted that differs. */
      VAULT_COMPARE_SECONDS: z.coerce.number().min(0.1).max(3600).default(2),
      ORPHAN_AFTER_SECONDS: z.coerce.number().min(1).default(ORPHAN_AFTER_SECONDS),
    },
    env,
  );

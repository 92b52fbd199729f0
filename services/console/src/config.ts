import { BASE, DECIDER, POLICY, readSettings } from '@mayfly/service';
import { z } from 'zod';

/** The console's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) =>
  readSettings({ ...BASE, ...DECIDER, ...POLICY, MAYFLY_TRUST_FILE: z.string().min(1) }, env);

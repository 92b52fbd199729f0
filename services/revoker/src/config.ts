import { BASE, readSettings, VAULT } from '@mayfly/service';
import { z } from 'zod';

/** The revoker's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) => readSettings({ ...BASE, ...VAULT, MAYFLY_TARGETS_FILE: z.string().min(1) }, env);

import { BASE, EVENTS, readSettings, VAULT } from '@mayfly/service';

/** The issuer's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) => readSettings({ ...BASE, ...EVENTS, ...VAULT }, env);

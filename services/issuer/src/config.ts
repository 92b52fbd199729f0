import { BASE, DECIDER, EVENTS, POLICY, readSettings, VAULT } from '@mayfly/service';

/** The issuer's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) => readSettings({ ...BASE, ...DECIDER, ...POLICY, ...EVENTS, ...VAULT }, env);

import { BASE, DECIDER, EVENTS, POLICY, readSettings } from '@mayfly/service';

/** The drift service's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) => readSettings({ ...BASE, ...DECIDER, ...POLICY, ...EVENTS }, env);

import { BASE, EVENTS, readSettings } from '@mayfly/service';

/** The drift service's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) => readSettings({ ...BASE, ...EVENTS }, env);

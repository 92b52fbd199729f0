import { BASE, readSettings } from '@mayfly/service';

/** The evidence service's settings. @throws BadConfig */
export const readConfig = (env: NodeJS.ProcessEnv) => readSettings(BASE, env);

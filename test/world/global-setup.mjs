/** The stack of all suites that break no server; `MAYFLY_DEV_JSON` names its dev.json. */
import { startWorld } from './start-world.mjs';

export default async function globalSetup() {
  globalThis.mayflyWorld = await startWorld('MAYFLY_DEV_JSON');
}

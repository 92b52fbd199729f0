/** A stack of its own for the suites that break servers and wires; `MAYFLY_FAULTS_DEV_JSON` names its dev.json. */
import { startWorld } from './start-world.mjs';

export default async function faultsSetup() {
  globalThis.mayflyFaultyWorld = await startWorld('MAYFLY_FAULTS_DEV_JSON', { wires: true });
}

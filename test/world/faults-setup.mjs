/** A stack of its own for the suites that break servers and wires; `MAYFLY_FAULTS_DEV_JSON` names its dev.json. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWorld } from './start-world.mjs';

export default async function faultsSetup() {
  // Where a test arms the moments at which a service kills itself; a stack that is named by the variable has none.
  const failpoints = await mkdtemp(join(tmpdir(), 'mayfly-failpoints-'));
  globalThis.mayflyFaultyWorld = await startWorld('MAYFLY_FAULTS_DEV_JSON', { wires: true, failpoints });
  if (globalThis.mayflyFaultyWorld) process.env.MAYFLY_FAULTS_FAILPOINTS = failpoints;
}

/** Ends the stack that faults-setup.mjs started. */
import { rm } from 'node:fs/promises';
import { endWorld } from './end-world.mjs';

export default async function faultsTeardown() {
  await endWorld(globalThis.mayflyFaultyWorld);
  const { MAYFLY_FAULTS_FAILPOINTS: failpoints } = process.env;
  if (failpoints) await rm(failpoints, { recursive: true, force: true });
}

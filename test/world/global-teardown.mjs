/** Ends the stack that global-setup.mjs started; nothing of it stays. `MAYFLY_KEEP_WORLD=1` keeps its logs and data. */
import { rm } from 'node:fs/promises';
import { sweep } from '../../deploy/local/servers/postgres-place.mjs';

export default async function globalTeardown() {
  const world = globalThis.mayflyWorld;
  if (!world) return;
  await world.stack.stop();
  if (process.env.MAYFLY_KEEP_WORLD) return;
  await rm(world.home, { recursive: true, force: true });
  sweep();
}

/** Ends a stack that start-world.mjs started; nothing of it stays. `MAYFLY_KEEP_WORLD=1` keeps its logs and data. */
import { rm } from 'node:fs/promises';
import { sweep } from '../../deploy/local/servers/postgres-place.mjs';

/** @param world what `startWorld` gave */
export async function endWorld(world) {
  if (!world) return;
  await world.stack.stop();
  if (process.env.MAYFLY_KEEP_WORLD) return;
  await rm(world.home, { recursive: true, force: true });
  sweep();
}

/** A real PostgreSQL for the tests of one file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
// @ts-expect-error plain JavaScript without types
import { start } from '../../../deploy/local/servers/postgres.mjs';
// @ts-expect-error plain JavaScript without types
import { sweep } from '../../../deploy/local/servers/postgres-place.mjs';

export interface Server {
  /** Superuser's. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it. Call it in `beforeAll`, and `stop` in `afterAll`. */
export async function startServer(): Promise<Server> {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-postgres-'));
  const server = (await start({ home })) as Server;
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
    (sweep as () => void)(); // data that had to lie outside the home
  };
  return { url: server.url, stop };
}

/** Waits until it is true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it never came true');
    await pause(10);
  }
}

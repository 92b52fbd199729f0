/** Compiles libraries and services; Nx knows what changed since the last time. */
import { join } from 'node:path';
import { environment } from './environment.mjs';
import { projectNode, root } from './layout.mjs';
import { run } from './run.mjs';

/** A program that npm installed; run it under the project's Node. */
export const tool = (name) => join(root, 'node_modules', '.bin', name);

/** The environment in which the project's own tools run: its Node first, and nothing left in the background. */
export const toolEnvironment = (more) =>
  environment({ ...more, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`, NX_DAEMON: 'false', NX_TUI: 'false' });

/** @param {{ logs: string, log: (line: string) => void, signal?: AbortSignal }} options */
export async function build({ logs, log, signal }) {
  const since = Date.now();
  await run(projectNode, [tool('nx'), 'run-many', '-t', 'build'], {
    what: 'the build',
    logFile: join(logs, 'build.log'),
    env: toolEnvironment(),
    cwd: root,
    signal,
  });
  log(`built (${((Date.now() - since) / 1000).toFixed(1)} s)`);
}

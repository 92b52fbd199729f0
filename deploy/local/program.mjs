/**
 * Runs one of the project's own programs under the project's Node, after installing and building what is missing:
 * `node deploy/local/program.mjs test/chaos/main.ts --runs 60`.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { build, toolEnvironment } from './build.mjs';
import { install } from './install.mjs';
import { layout, projectNode, root } from './layout.mjs';

const [program, ...args] = process.argv.slice(2);
const { logs } = layout(join(root, '.mayfly'));
const runs = !args.includes('--help');
const log = (line) => console.error(`-- ${line}`);

try {
  // Of all programs only the benchmark decides elsewhere too.
  await install({ logs, servers: runs, wires: runs, opa: runs && program === 'test/bench/main.ts', log });
  await build({ logs, log });
  const child = spawn(projectNode, ['--disable-warning=ExperimentalWarning', program, ...args], {
    cwd: root,
    env: toolEnvironment(process.env),
    stdio: 'inherit',
  });
  // A terminal's Ctrl-C reaches it by itself; what a supervisor sends to this process alone is passed on.
  const atTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  process.on('SIGINT', () => atTerminal || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 128 + constants.signals[signal] : 1))),
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

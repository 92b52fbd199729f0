/** Schemathesis against docs/openapi.yaml: what the document promises is what the running services do, and what it forbids is refused. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cache } from '../../../deploy/local/layout.mjs';
import { REPORTER, World } from '../../world/world.js';

const SEED = 20_261_122;
const pathTo = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const installed = join(cache, 'schemathesis');
const settings = readFileSync(pathTo('openapi/schemathesis.toml'), 'utf8');

let world: World;
let folder: string;
beforeAll(async () => {
  if (!existsSync(installed)) throw new Error('Schemathesis is not there: npm test fetches it, with Python 3 and pip');
  world = await World.open();
  folder = await mkdtemp(join(tmpdir(), 'mayfly-openapi-'));
}, 60_000);
afterAll(async () => {
  await world?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** Runs it; gives back its exit code and its report. Every check that it has is on; operations have no links, so there are no stories to tell. */
async function ask(url: string, token: string, examples: number, only: readonly string[], more = '') {
  const config = join(folder, `${Math.random()}.toml`);
  await writeFile(config, `${more}\n${settings}`);
  const args = ['run', pathTo('../../../docs/openapi.yaml'), '--url', url, '--header', `Authorization: Bearer ${token}`, ...only];
  const bounds = ['--max-examples', String(examples), '--seed', String(SEED), '--phases', 'coverage,fuzzing', '--no-shrink', '--no-color'];
  const child = spawn('python3', ['-m', 'schemathesis.cli', '--config-file', config, ...args, ...bounds], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      PYTHONPATH: [installed, pathTo('openapi')].join(delimiter),
      PYTHONDONTWRITEBYTECODE: '1',
      SCHEMATHESIS_HOOKS: 'bounds',
      // Nothing in front of this machine's own addresses.
      NO_PROXY: '*',
    },
  });
  let report = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (report += String(data)));
  const code = await new Promise((resolve) => child.once('error', (error) => resolve(String(error))).once('exit', resolve));
  return { code, report, cases: Number(/(\d+) generated/.exec(report)?.[1] ?? 0) };
}
/** Shows the whole report when it is not good. */
function expectGood({ code, report, cases }: Awaited<ReturnType<typeof ask>>, least: number): void {
  if (code !== 0) throw new Error(`Schemathesis (seed ${SEED}) ended with ${String(code)}:\n${report}`);
  expect(cases).toBeGreaterThanOrEqual(least);
}

test(`agents' calls, whatever is asked (seed ${SEED})`, async () => {
  const tags = ['--include-tag', 'agents', '--include-tag', 'about itself'];
  expectGood(await ask(world.dev.delivery.url, await world.agentToken(REPORTER), 12, tags), 100);
}, 300_000);

test(`an agent's calls for its own task (seed ${SEED})`, async () => {
  const taskId = await world.start('orders-db.read');
  await world.event(taskId, 'credential.issued');
  const own = `[parameters]\n"path.taskId" = "${taskId}"\n"path.name" = "orders-db"\n`;
  // Not release: its first right body would end the task.
  const calls = ['viewTask', 'fetchSecret', 'heartbeat', 'evaluate', 'evaluateAll', 'reportUsage'].flatMap((id) => [
    '--include-operation-id',
    id,
  ]);
  expectGood(await ask(world.dev.delivery.url, await world.agentToken(), 6, calls, own), 20);
  expect((await world.agent().task(taskId)).state).toBe('granted');
  await world.end(taskId);
}, 300_000);

test(`operators' calls, by an admin (seed ${SEED})`, async () => {
  const taskId = await world.start('orders-db.read');
  await world.event(taskId, 'credential.issued');
  const tags = ['--include-tag', 'operators', '--include-tag', 'about itself'];
  expectGood(await ask(world.dev.console.url, await world.operatorToken('admin'), 12, tags), 100);
  // Nothing that was asked for did anything: see openapi/bounds.py.
  expect((await world.agent().task(taskId)).state).toBe('granted');
  await world.end(taskId);
}, 300_000);

test(`operators' calls about a task that there is (seed ${SEED})`, async () => {
  const taskId = await world.start('orders-db.read');
  await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  await world.end(taskId);
  await world.event(taskId, 'grant.closed');
  const calls = ['timeline', 'taskEvidence', 'listGrants', 'evidenceLog'].flatMap((id) => ['--include-operation-id', id]);
  const own = `[parameters]\n"path.taskId" = "${taskId}"\n"query.taskId" = "${taskId}"\n`;
  expectGood(await ask(world.dev.console.url, await world.operatorToken('viewer'), 6, calls, own), 40);
}, 300_000);

/** `npm test`: everything that CI runs. Ends with a plain line `N passed, N failed`. Runs under Node 20+. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, tool, toolEnvironment } from './build.mjs';
import { install } from './install.mjs';
import { layout, projectNode, root } from './layout.mjs';

const log = (line) => console.log(`-- ${line}`);
const jest = (...args) => ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', tool('jest'), ...args];

/** Each runs under the project's Node; a check counts as one test. */
const checks = {
  types: ['tsc', '--noEmit'],
  style: ['eslint', '.'],
  layers: ['depcruise', '--config', '.dependency-cruiser.cjs', 'libs', 'services'],
  format: ['prettier', '--check', '--log-level', 'warn', '.'],
};

/** Runs one program with its output shown. Gives back whether it succeeded. */
async function succeeds(args, env) {
  const child = spawn(projectNode, args, { cwd: root, env, stdio: 'inherit' });
  return (await new Promise((resolve) => child.once('exit', resolve))) === 0;
}

/** Runs Jest and counts; a test file that could not run counts as one that failed. */
async function tests(args, env, workers = 2) {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-test-'));
  const report = join(folder, 'report.json');
  try {
    const good = await succeeds(jest('--json', `--outputFile=${report}`, `--maxWorkers=${workers}`, '--passWithNoTests', ...args), env);
    const result = JSON.parse(readFileSync(report, 'utf8'));
    const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
    return { passed: result.numPassedTests, failed: good ? failed : Math.max(failed, 1) };
  } catch {
    return { passed: 0, failed: 1 }; // Jest itself came to no result
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A short set of chaos runs; its seeds are fixed, and a seed that ever failed joins them (test/chaos/seeds.json). */
async function chaos(env) {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-test-'));
  const report = join(folder, 'chaos.json');
  try {
    const { runs, seeds } = JSON.parse(readFileSync(join(root, 'test', 'chaos', 'seeds.json'), 'utf8'));
    const program = ['--disable-warning=ExperimentalWarning', join('test', 'chaos', 'main.ts')];
    await succeeds([...program, '--runs', String(runs), '--seed', seeds.join(','), '--healthy', '40', '--quiet', '--json', report], env);
    const { orphans, falseRevoked, lostEvents, violations, runs: done } = JSON.parse(readFileSync(report, 'utf8'));
    const failed = [orphans, falseRevoked, lostEvents, violations].filter((found) => found.length > 0).length + (done < runs ? 1 : 0);
    return { passed: 5 - failed, failed };
  } catch {
    return { passed: 0, failed: 1 }; // it came to no result
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(paths) {
  const { logs } = layout(join(root, '.mayfly'));
  await install({ logs, wires: true, tests: true, log });
  await build({ logs, log });

  const env = toolEnvironment(process.env);
  const results = [];
  if (paths.length > 0) results.push(await tests(paths, env));
  else {
    for (const [name, [program, ...args]] of Object.entries(checks)) {
      log(name);
      const good = await succeeds([tool(program), ...args], env);
      results.push(good ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
    }
    for (const [project, workers] of [
      ['unit', 2],
      ['suites', 2],
      ['faults', 1],
    ]) {
      log(`tests: ${project}`);
      results.push(await tests(['--selectProjects', project], env, workers));
    }
    log('chaos');
    results.push(await chaos(env));
  }
  return results.reduce((sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }));
}

const { passed, failed } = await main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  return { passed: 0, failed: 1 };
});
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** `npm run model -- --samples N --seed S`: explores the model further than CI does, and replays as many of its traces against the code. */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { tool, toolEnvironment } from './build.mjs';
import { projectNode, root } from './layout.mjs';

const { values } = parseArgs({ options: { samples: { type: 'string' }, traces: { type: 'string' }, seed: { type: 'string' } } });
const { samples = '5000', traces = '200', seed = String(Math.floor(Math.random() * 2 ** 31)) } = values;
console.log(`-- ${samples} samples, ${traces} traces, seed ${seed}`);
const env = { ...toolEnvironment(process.env), MODEL_SAMPLES: samples, MODEL_TRACES: traces, MODEL_SEED: seed };
// That the model can fail is CI's to show.
const jest = [tool('jest'), 'test/model', '--selectProjects', 'unit', '--testNamePattern', '^(?!the model can fail)'];
spawn(projectNode, ['--experimental-vm-modules', '--no-warnings=ExperimentalWarning', ...jest], { cwd: root, env, stdio: 'inherit' }).once(
  'exit',
  (code) => process.exit(code ?? 1),
);

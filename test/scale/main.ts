/** `npm run scale`: queueing in the way of an end, simulated with measured costs, and the machines that a load needs. See docs/scale.md. */
import { parseArgs } from 'node:util';
import { scenarios } from './scenarios.ts';
import { sizes } from './sizing.ts';
import { told } from './told.ts';

const USAGE = `npm run scale -- [--seed S] [--json]

Simulates ends that queue for Vault, its targets and the ledger, and computes what a load needs. Starts nothing. The same seed gives the same figures.`;

const options = {
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function main(): void {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(USAGE);
  if (!/^\d{1,9}$/.test(values.seed)) throw new TypeError(`--seed is a whole number, not ${values.seed}`);
  const simulated = scenarios(Number(values.seed));
  if (values.json) return console.log(JSON.stringify({ seed: Number(values.seed), simulated, sizes: sizes() }, null, 2));
  for (const each of [...simulated, ...sizes()]) console.log(told(each));
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

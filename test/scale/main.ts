/** `npm run scale`: queueing in the way of an end, simulated with measured costs, and the machines that a load needs. See docs/scale.md. */
import { parseArgs } from 'node:util';
import { scenarios } from './scenarios.ts';
import { sizeOf, type Load } from './sizing.ts';

const USAGE = `npm run scale -- [--seed S] [--json]

Simulates ends that queue for Vault, its targets and the ledger, and computes what a load needs. Starts nothing. The same seed gives the same figures.`;

const LOADS: Readonly<Record<string, Load>> = {
  '50 tasks/s, a login each': { tasksPerSecond: 50, taskSeconds: 600, logins: 1, callsPerTask: 10, keptDays: 30 },
  '1,000 tasks/s, a login in ten': { tasksPerSecond: 1_000, taskSeconds: 1_000, logins: 0.1, callsPerTask: 10, keptDays: 30 },
  '10,000 tasks/s, 10 M live': { tasksPerSecond: 10_000, taskSeconds: 1_000, logins: 0.1, callsPerTask: 10, keptDays: 30 },
};
const PLAN = { busyAtMost: 0.6, coresOfVault: 16 };

const options = {
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const shown = (value: number): string => (value >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 10) / 10));

function main(): void {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(USAGE);
  if (!/^\d{1,9}$/.test(values.seed)) throw new TypeError(`--seed is a whole number, not ${values.seed}`);
  const simulated = scenarios(Number(values.seed));
  const sizes = Object.entries(LOADS).map(([name, load]) => ({
    name,
    figures: { ...sizeOf(load, PLAN) },
  }));
  if (values.json) return console.log(JSON.stringify({ seed: Number(values.seed), simulated, sizes }, null, 2));
  for (const { name, figures } of [...simulated, ...sizes]) {
    const told = Object.entries(figures).map(([what, value]) => `${what} ${shown(value)}`);
    console.log(`${name}\n  ${told.join(' · ')}`);
  }
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

/**
 * `mayfly doctor`
 * @module
 */
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { readEndpoints } from '../endpoints.js';
import { examine, type Finding } from '../examine.js';
import { paint } from '../show.js';
import { answers, verb } from '../verb.js';

/** Says what works and what to do about what does not. */
export function addDoctor(program: Command, cli: Cli): void {
  verb(program, 'doctor', 'say what can be reached, and what to do about what cannot', ['doctor', 'doctor --json']).action(
    answers(cli, async () => {
      const findings = await examine(readEndpoints(cli));
      const well = findings.every(({ ok }) => ok);
      return { data: { ok: well, findings }, text: findings.map((finding) => textOf(finding, cli.colour)).join('\n'), failed: !well };
    }),
  );
}

const textOf = ({ name, address, ok, advice }: Finding, colour: boolean): string => {
  const mark = ok ? paint(colour, 'green', 'ok     ') : paint(colour, 'red', 'PROBLEM');
  return `${mark}  ${name.padEnd(9)} ${address ?? '-'}${advice === undefined ? '' : `\n         ${advice}`}`;
};

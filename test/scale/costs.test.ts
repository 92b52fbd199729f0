import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { CALL, END, LOGIN_END, LOGIN_START, MEASURED, START } from './costs.js';

interface Row {
  readonly id: string;
  readonly notes: readonly string[];
  readonly figures: readonly { readonly name: string; readonly median: number }[];
}
const runs = JSON.parse(readFileSync(new URL('../../docs/benchmarks.json', import.meta.url), 'utf8')) as { at: string; rows: Row[] }[];
/** Undefined once the row stands in a newer run: its costs are then of the one that they name, which is in the history of the file. */
const rowOf = (at: string, id: string): Row | undefined => runs.find((run) => run.at === at)?.rows.find((row) => row.id === id);

test('what a task costs is the same in docs/scale.md and here', () => {
  const rows = readFileSync(new URL('../../docs/scale.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => /\| B\d+ *\|$/.test(line))
    .map((line) => line.split('|').slice(2, 8).map(Number));
  const shown = [START, END, LOGIN_START, LOGIN_END, { ...CALL, vault: 0, target: 0 }];
  const expected = shown.map(({ service, vault, ledger, kafka, evidence, target }) => [service, vault, ledger, kafka, evidence, target]);
  expect(rows).toHaveLength(expected.length);
  for (const [row, parts] of expected.entries())
    for (const [at, ms] of parts.entries()) expect(Math.abs(rows[row]![at]! - ms)).toBeLessThan(0.006);
});

describe('what a task costs is what the run that is named measured', () => {
  const { start, end, call, bytes } = MEASURED;

  test('a start (B1)', () => {
    const row = rowOf(start.at, 'B1');
    if (!row) return;
    const [token, login] = ['token', 'login'].map((kind) => row.notes.find((note) => note.startsWith(`CPU of a start, ${kind}`)));
    for (const each of parts(start.token)) expect(token).toContain(each);
    for (const each of parts(start.login)) expect(login).toContain(each);
    for (const each of parts(start.bareLogin)) expect(login?.split('; bare')[1]).toContain(each);
  });

  test('an end (B4)', () => {
    const row = rowOf(end.at, 'B4');
    if (!row) return;
    for (const kind of ['token', 'login'] as const) {
      for (const [part, ms] of Object.entries(end[kind])) {
        const figure = row.figures.find(({ name }) => name === `${kind}: CPU of ${part}`);
        expect(Math.abs((figure?.median ?? Number.NaN) - ms)).toBeLessThan(0.01);
      }
    }
  });

  test('a tool call (B7)', () => {
    const note = rowOf(call.at, 'B7')?.notes.find((each) => each.startsWith('CPU of one decision'));
    if (note) for (const each of parts(call.decision)) expect(note).toContain(each);
  });

  test('bytes on disk (B8)', () => {
    const note = rowOf(bytes.at, 'B8')?.notes.find((each) => each.startsWith('Bytes on disk'));
    const { grant, lease, event, record } = bytes;
    if (note)
      expect(note).toContain(`${grant} a grant with its credential, ${lease} a lease, ${event} an event in the inbox, ${record} a record`);
  });
});

const parts = (used: Readonly<Record<string, number>>): string[] => Object.entries(used).map(([part, ms]) => `${part} ${ms.toFixed(2)}`);

import { describe, expect, test } from '@jest/globals';
import { jsonOf, mayBePublished, withRun, withRuns } from './publish.ts';
import { reportOf, type Report } from './report.ts';

const machine = { cores: 2, cpu: 'some', memoryGiB: 8, loadBefore: [1, 1, 1], loadAfter: [2, 1, 1], versions: { node: '24.0.0' } };
const run = (at: string, ...ids: readonly string[]): Report =>
  reportOf(
    { at, seed: 7, rounds: 5, quick: false, machine },
    ids.map((id) => ({
      row: { id, what: `what of ${id}`, against: 'bare', reach: '≥ 0.5', measure: () => Promise.reject(new Error('not here')) },
      seconds: 1,
      result: { figures: [], ratios: [{ name: `rate of ${at}`, rounds: [1], goal: { atLeast: 0.5 } }] },
    })),
  );
const DOCUMENT = '# Title\n\n<!-- The runs begin: npm run bench -- --publish writes them. -->\n\nold\n\n<!-- The runs end. -->\n\nAfter.\n';

describe('what is published', () => {
  test('has each row once, from the newest run that measured it; a run that has none left goes', () => {
    const runs = withRun(withRun([run('first', 'B1', 'B2')], run('second', 'B2')), run('third', 'B1'));
    expect(runs.map(({ at, rows }) => [at, rows.map(({ id }) => id)])).toEqual([
      ['second', ['B2']],
      ['third', ['B1']],
    ]);
  });

  test('stands where the document says, below its titles, and is the same when it is written again', async () => {
    const runs = [run('first', 'B1'), run('second', 'B2')];
    const text = await withRuns(DOCUMENT, runs);
    expect(text).toMatch(
      /^# Title[^]*^## Run of first$[^]*^### B1: what of B1$[^]*^## Run of second$[^]*<!-- The runs end. -->\n\nAfter\.\n$/m,
    );
    expect(text).not.toContain('old');
    expect(await withRuns(text, JSON.parse(await jsonOf(runs)) as Report[])).toBe(text);
  });

  test('does not lose what was measured to what could not be', () => {
    const { rows, ...failed } = run('second', 'B1', 'B2');
    const failure = { ...rows[0]!, failure: 'Vault is away' };
    const runs = withRun([run('first', 'B1', 'B2')], { ...failed, rows: [failure, rows[1]!] });
    expect(runs.map(({ at, rows }) => [at, rows.map(({ id }) => id)])).toEqual([
      ['first', ['B1']],
      ['second', ['B2']],
    ]);
    expect(withRun([], { ...failed, rows: [failure] })).toEqual([]);
  });

  test('was measured in full, often enough, and of a commit that others can check out', () => {
    const good = { quick: false, rounds: 5, commit: { id: '2a09aeb', changed: false } };
    expect(() => mayBePublished(good)).not.toThrow();
    expect(() => mayBePublished({ ...good, quick: true })).toThrow(/--quick/);
    expect(() => mayBePublished({ ...good, rounds: 4 })).toThrow(/5 rounds at least, not 4/);
    expect(() => mayBePublished({ ...good, commit: { id: '2a09aeb', changed: true } })).toThrow(TypeError);
    expect(() => mayBePublished({ ...good, commit: { id: undefined, changed: false } })).toThrow(TypeError);
  });

  test('needs its place', async () => {
    await expect(withRuns('# Title\n', [])).rejects.toThrow(TypeError);
  });
});

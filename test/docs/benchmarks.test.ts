import { describe, expect, test } from '@jest/globals';
import { withRuns } from '../bench/publish.ts';
import type { Report } from '../bench/report.ts';
import { chapter, doc } from './markdown.js';

const runs = JSON.parse(doc('docs/benchmarks.json')) as Report[];

describe('docs/benchmarks.md', () => {
  test('shows the figures of the runs that are committed beside it, and no others', async () => {
    expect(await withRuns(doc('docs/benchmarks.md'), runs)).toBe(doc('docs/benchmarks.md'));
  });

  test('says of every row what limits it', () => {
    const ids = runs.flatMap(({ rows }) => rows.map(({ id }) => id));
    expect(ids.length).toBeGreaterThan(0);
    const limits = chapter(doc('docs/benchmarks.md'), 'What limits it');
    for (const id of ids) expect(limits).toMatch(new RegExp(`^\\| ${id} `, 'm'));
  });
});

/** Each of the 79 rows of the bad-input matrix has a test that names it: `[bad 23]`. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const ROWS = 79;
/** Rows whose tests are still to come. */
const TO_COME: readonly number[] = [69, 70, 71, 73];

/** Files by the row that they name. */
function covered(): ReadonlyMap<number, ReadonlySet<string>> {
  const rows = new Map<number, Set<string>>();
  for (const file of globSync('{libs,services,deploy,test}/**/*.test.{ts,mjs}', {
    exclude: (name) => /node_modules|dist/.test(String(name)),
  })) {
    for (const [, row] of readFileSync(file, 'utf8').matchAll(/\[bad (\d+)\]/g)) {
      rows.set(Number(row), (rows.get(Number(row)) ?? new Set()).add(file));
    }
  }
  return rows;
}

test('every row of the bad-input matrix is named by a test', () => {
  const rows = covered();
  const missing = Array.from({ length: ROWS }, (_, at) => at + 1).filter((row) => !rows.has(row));
  expect(missing.filter((row) => !TO_COME.includes(row))).toEqual([]);
  expect(ROWS - missing.length).toBeGreaterThanOrEqual(60);
});

test('no test names a row that does not exist', () => {
  expect([...covered().keys()].filter((row) => row < 1 || row > ROWS)).toEqual([]);
});

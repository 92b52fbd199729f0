import { expect, test } from '@jest/globals';
import { chosen } from './choose-rows.ts';
import type { Row } from './row.ts';

const rows = ['B1', 'B2', 'B10'].map((id) => ({ id }) as Row);

test('rows are asked for by name, in either case, and come in their own order', () => {
  expect(chosen(rows, 'b10, B1').map(({ id }) => id)).toEqual(['B1', 'B10']);
  expect(chosen(rows, undefined)).toBe(rows);
});

test('a row that there is not is refused, with those that there are', () => {
  expect(() => chosen(rows, 'B1,B7')).toThrow('--rows knows B1, B2, B10, not B7');
});

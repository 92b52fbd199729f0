/** Which rows there are, and which of them were asked for. */
import { readdirSync } from 'node:fs';
import type { Row } from './row.ts';

/** All there are, in the order of their numbers. */
export async function allRows(): Promise<Row[]> {
  const files = readdirSync(new URL('./rows', import.meta.url)).filter((name) => /^b\d+\.ts$/.test(name));
  const rows = await Promise.all(files.map(async (name) => ((await import(`./rows/${name}`)) as { default: Row }).default));
  return rows.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
}

/** Those of a list such as `B1,b3`; all where none is named. @throws TypeError naming what there is not */
export function chosen(rows: readonly Row[], asked: string | undefined): readonly Row[] {
  if (asked === undefined) return rows;
  const ids = asked.split(',').map((id) => id.trim().toUpperCase());
  const unknown = ids.find((id) => !rows.some((row) => row.id === id));
  if (unknown !== undefined) throw new TypeError(`--rows knows ${rows.map(({ id }) => id).join(', ')}, not ${unknown}`);
  return rows.filter(({ id }) => ids.includes(id));
}

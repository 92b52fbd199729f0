/**
 * Text for terminals.
 * @module
 */

/** Columns as wide as their widest cell, under a head in capitals. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head.map((name) => name.toUpperCase()), ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  return all
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values, one line each. */
export function pairs(values: Readonly<Record<string, string | undefined>>): string {
  const known = Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

const CODES = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, grey: 90 } as const;
/** One of the colours that every terminal knows. */
export type Colour = keyof typeof CODES;

/** Colours a text, where colours are understood. */
export const paint = (on: boolean, colour: Colour, text: string): string => (on ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);

/** Takes control characters out of what others wrote, so that it cannot steer the terminal. */
export const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

/** An address as it may be shown: a user and password in it become `***`. Rather too much is hidden than too little. */
export const withoutCredentials = (address: string): string => address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1***@');

/** Time of day with milliseconds, UTC: `09:30:01.234`. */
export const clockTime = (at: string): string => new Date(at).toISOString().slice(11, 23);

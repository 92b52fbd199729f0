/** Documents of the repository as tests read them. */
import { readFileSync } from 'node:fs';

/** A document's text. */
export const doc = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** What stands under a heading, up to the next one of the same or a higher level. */
export function chapter(text: string, heading: string): string {
  const start = text.search(new RegExp(`^#+ ${heading.replaceAll('.', '\\.')}$`, 'm'));
  if (start < 0) throw new Error(`no chapter ${heading}`);
  const [line = ''] = text.slice(start).split('\n');
  const level = line.indexOf(' ');
  const rest = text.slice(start + line.length);
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The names in back quotes that begin a table's rows. */
export const fieldsOf = (text: string): string[] => [...text.matchAll(/^\| `(\w+)`/gm)].map(([, field]) => field as string);

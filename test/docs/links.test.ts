import { existsSync, globSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { doc } from './markdown.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root })];
const slug = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');

describe('documents', () => {
  test.each(documents)('every link in %s leads somewhere', (path) => {
    for (const [, link = ''] of doc(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [file = '', fragment] = link.split('#');
      const target = file === '' ? path : join(dirname(path), file);
      expect([link, existsSync(join(root, target))]).toEqual([link, true]);
      if (fragment !== undefined)
        expect([...doc(target).matchAll(/^#+ (.+)$/gm)].map(([, title]) => slug(title as string))).toContain(fragment);
    }
  });

  test('every decision is in the index with its title and state, and no number is used twice', () => {
    const records = readdirSync(join(root, 'docs/adr')).filter((name) => name !== 'README.md');
    expect(new Set(records.map((name) => name.slice(0, 4))).size).toBe(records.length);
    for (const name of records) {
      const [, title] = doc(`docs/adr/${name}`).match(/^# (.+)$/m) ?? [];
      const [, state] = doc(`docs/adr/${name}`).match(/^State: (.+?)\.$/m) ?? [];
      const row = doc('docs/adr/README.md')
        .split('\n')
        .find((line) => line.includes(`](${name})`));
      expect(
        row
          ?.split('|')
          .slice(1, 3)
          .map((cell) => cell.trim()),
      ).toEqual([`[${title}](${name})`, state]);
    }
  });
});

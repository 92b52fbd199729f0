import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { ATTRIBUTES, METRICS, SPAN_PATTERNS, SPANS } from '@mayfly/telemetry';

const document = readFileSync(new URL('../../../docs/telemetry.md', import.meta.url), 'utf8');

/** The names in the first column of the table under a heading. */
function documented(heading: string): string[] {
  const section = document.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name as string).sort();
}

test('docs/telemetry.md lists exactly the spans that exist', () => {
  const patterns = [
    SPAN_PATTERNS.send('<topic>'),
    SPAN_PATTERNS.process('<topic>'),
    SPAN_PATTERNS.serve('<method>', '<route>'),
    SPAN_PATTERNS.vault('<operation>'),
    SPAN_PATTERNS.database('<operation>'),
  ];
  expect(patterns).toHaveLength(Object.keys(SPAN_PATTERNS).length);
  expect(documented('Spans')).toEqual([...Object.values(SPANS), ...patterns].sort());
});

test('docs/telemetry.md lists exactly the attributes that exist', () => {
  expect(documented('Attributes')).toEqual(Object.values<string>(ATTRIBUTES).sort());
});

test('docs/telemetry.md lists exactly the metrics that exist, with kind, unit and meaning', () => {
  expect(documented('Metrics')).toEqual(
    Object.values(METRICS)
      .map(({ name }) => name)
      .sort(),
  );
  const rows = document.replaceAll(/ +/g, ' ');
  for (const { name, kind, unit, description } of Object.values(METRICS)) {
    expect(rows).toContain(`| \`${name}\` | ${kind} | ${unit} | ${description} |`);
  }
});

test('names that are not our own are spelt as the semantic conventions spell them', () => {
  const known = new Set<unknown>(Object.values(conventions));
  const names = [...Object.values<string>(ATTRIBUTES), ...Object.values(METRICS).map(({ name }) => name)];
  expect(names.filter((name) => !name.startsWith('mayfly.') && !known.has(name))).toEqual([]);
});

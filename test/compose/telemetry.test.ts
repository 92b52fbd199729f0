import { describe, expect, test } from '@jest/globals';
import { ATTRIBUTES, counter, gauge, histogram, METRICS, metricsText, type Metric } from '@mayfly/telemetry';
import { existsSync } from 'node:fs';
import { parse } from 'yaml';
import { repoFile } from './compose-file.js';

/** Prometheus names of all instruments, as the services themselves print them. */
async function prometheusNames(): Promise<Set<string>> {
  for (const metric of Object.values<Metric>(METRICS)) {
    if (metric.kind === 'counter') counter(metric as Metric<'counter'>).add(0);
    else if (metric.kind === 'histogram') histogram(metric as Metric<'histogram'>).record(0);
    else gauge(metric as Metric<'gauge'>, () => 0);
  }
  const lines = (await metricsText()).body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Set(lines.map((line) => (line.match(/^\w+/) as RegExpMatchArray)[0]));
}

const PROMETHEUS_OWN = ['up'];
const LABELS = new Set(['le', 'service', 'job', ...Object.values(ATTRIBUTES).map((name) => name.replaceAll('.', '_'))]);
const WORDS = new Set([
  'sum',
  'max',
  'count',
  'by',
  'on',
  'or',
  'and',
  'unless',
  'offset',
  'rate',
  'increase',
  'vector',
  'histogram_quantile',
]);

/** Names in an expression that are neither functions nor label matchers. */
function namesIn(expression: string): { metrics: string[]; labels: string[] } {
  const bare = expression
    .replace(/\[[^\]]*\]/g, '')
    .replace(/"[^"]*"/g, '""')
    .replace(/offset \w+/g, '');
  const labels = [...bare.matchAll(/(?:by|on) \(([^)]*)\)|\{([^}]*)\}/g)].flatMap(
    ([, by, matchers]) => ((by ?? matchers) as string).match(/[a-z_]\w*/g) ?? [],
  );
  const rest = bare.replace(/(?:by|on) \([^)]*\)|\{[^}]*\}/g, '');
  return { labels, metrics: (rest.match(/[a-z_]\w*/g) ?? []).filter((name) => !WORDS.has(name)) };
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
}
interface Panel {
  readonly title: string;
  readonly description: string;
  readonly targets: readonly { readonly expr: string }[];
}
const rules = (parse(repoFile('deploy/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(repoFile('deploy/grafana/dashboards/mayfly.json')) as { panels: Panel[] };
const expressions = [
  ...rules.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [`panel ${title}`, expr] as const)),
];

describe('alerts and dashboard', () => {
  test.each(expressions)('%s names metrics and labels that exist', async (_, expression) => {
    const known = await prometheusNames();
    const { metrics, labels } = namesIn(expression);
    expect(metrics.filter((name) => !known.has(name) && !PROMETHEUS_OWN.includes(name))).toEqual([]);
    expect(metrics).not.toEqual([]);
    expect(labels.filter((name) => !LABELS.has(name))).toEqual([]);
  });

  test('every alert leads to a chapter of the runbook', () => {
    const chapters = new Set(
      [...repoFile('docs/operations.md').matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        (title as string)
          .toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .replaceAll(' ', '-'),
      ),
    );
    for (const { annotations } of rules) {
      const [file, chapter] = annotations.runbook.split('#');
      expect(existsSync(new URL(`../../${file}`, import.meta.url))).toBe(true);
      expect(chapters).toContain(chapter);
    }
  });

  test('every panel says what it is for', () => {
    for (const { title, description } of panels) expect([title, description]).toEqual([title, expect.stringMatching(/\S/)]);
  });
});

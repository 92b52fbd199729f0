/**
 * Instruments and their Prometheus text. They work from the moment they are made, whether telemetry was started or not,
 * so that no order of imports can lose a count.
 * @module
 */
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Attributes, Metric } from './names.js';

// The exporter is only the reader: the text is served by each service's own HTTP server, under /metrics.
const reader = new PrometheusExporter({ preventServerStart: true });
const serializer = new PrometheusSerializer('', false, undefined, true, true);
const meter = new MeterProvider({ readers: [reader] }).getMeter('mayfly');

/** Bucket bounds in seconds, as the semantic conventions advise; the last ones are for revocations that take long. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60];

/** Counts up. */
export interface Counter {
  add(by: number, labels?: Attributes): void;
}

/** Notes how long things took. */
export interface Histogram {
  /** @param seconds the duration */
  record(seconds: number, labels?: Attributes): void;
  /** Notes the seconds since `startedAt`, a value of `performance.now()`. */
  since(startedAt: number, labels?: Attributes): void;
}

/** The instrument of a counting metric. */
export function counter({ name, unit, description }: Metric<'counter'>): Counter {
  const instrument = meter.createCounter(name, { unit, description });
  return { add: (by, labels) => instrument.add(by, { ...labels }) };
}

/** The instrument of a metric of durations. */
export function histogram({ name, unit, description }: Metric<'histogram'>): Histogram {
  const instrument = meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: SECONDS } });
  const record = (seconds: number, labels?: Attributes): void => instrument.record(seconds, { ...labels });
  return { record, since: (startedAt, labels) => record((performance.now() - startedAt) / 1000, labels) };
}

/** A value that is looked up whenever the metrics are read. Undefined, or an `observe` that throws, leaves it out. */
export function gauge({ name, unit, description }: Metric<'gauge'>, observe: () => number | undefined | Promise<number | undefined>): void {
  meter.createObservableGauge(name, { unit, description }).addCallback(async (result) => {
    const value = await observe();
    if (value !== undefined) result.observe(value);
  });
}

/** The same with a value for each of many labels. An `observe` that throws leaves all of them out. */
export function gauges(
  { name, unit, description }: Metric<'gauge'>,
  observe: () => Iterable<readonly [number, Attributes]> | Promise<Iterable<readonly [number, Attributes]>>,
): void {
  meter.createObservableGauge(name, { unit, description }).addCallback(async (result) => {
    for (const [value, labels] of await observe()) result.observe(value, { ...labels });
  });
}

/** All metrics as Prometheus text, with the content type to serve it as. */
export async function metricsText(): Promise<{ readonly contentType: string; readonly body: string }> {
  const { resourceMetrics } = await reader.collect();
  return { contentType: 'text/plain; version=0.0.4; charset=utf-8', body: serializer.serialize(resourceMetrics) };
}

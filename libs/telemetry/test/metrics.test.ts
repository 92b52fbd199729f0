import { expect, test } from '@jest/globals';
import { counter, gauge, histogram, METRICS, metricsText } from '@mayfly/telemetry';

test('counts, durations and looked-up values are served as Prometheus text', async () => {
  counter(METRICS.deadLetters).add(2, { 'mayfly.reason': 'event-too-large' });
  histogram(METRICS.mintDuration).record(0.03, { 'mayfly.capability': 'a\n"b"' });
  gauge(METRICS.outboxLag, () => 1.5);
  const { contentType, body } = await metricsText();
  expect(contentType).toContain('version=0.0.4');
  expect(body).toContain('mayfly_kafka_dead_letters_total{mayfly_reason="event-too-large"} 2');
  expect(body).toContain('mayfly_mint_duration_bucket{mayfly_capability="a\\n\\"b\\"",le="0.05"} 1');
  expect(body).toMatch(/^mayfly_outbox_lag 1\.5$/m);
});

test('a gauge that cannot be looked up is left out and the others are served', async () => {
  gauge(METRICS.grantsLive, () => Promise.reject(new Error('away')));
  gauge(METRICS.revocationsOpen, () => 3);
  const { body } = await metricsText();
  expect(body).toMatch(/^mayfly_revocations_open 3$/m);
  expect(body).not.toMatch(/^mayfly_grants_live \d/m);
});

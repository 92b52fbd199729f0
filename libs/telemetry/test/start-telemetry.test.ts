import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { metricsText, SPANS, startTelemetry, withSpan } from '@mayfly/telemetry';

/** A receiver that answers, or one that accepts and stays silent for ever. */
async function receiver(kind: 'answers' | 'silent') {
  const bodies: { path: string; body: Buffer }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push({ path: request.url ?? '', body: Buffer.concat(chunks) });
      if (kind === 'answers') response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { bodies, url: `http://127.0.0.1:${port}`, close };
}

test('spans go to Zipkin with the service’s name', async () => {
  const zipkin = await receiver('answers');
  const telemetry = startTelemetry({ service: 'issuer', version: '1', env: { ZIPKIN_ENDPOINT: `${zipkin.url}/api/v2/spans` } });
  await withSpan(SPANS.mint, { attributes: { 'mayfly.task.id': 't-1' } }, () => undefined);
  await telemetry.shutdown();
  const [post] = zipkin.bodies;
  expect(post?.path).toBe('/api/v2/spans');
  expect(JSON.parse(String(post?.body))).toMatchObject([
    { name: 'mayfly.mint', localEndpoint: { serviceName: 'issuer' }, tags: { 'mayfly.task.id': 't-1' } },
  ]);
  await zipkin.close();
});

test('OTLP is preferred where both are set', async () => {
  const otlp = await receiver('answers');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `${otlp.url}/`, ZIPKIN_ENDPOINT: 'http://127.0.0.1:9/api/v2/spans' };
  const telemetry = startTelemetry({ service: 'issuer', version: '1', env });
  await withSpan(SPANS.mint, {}, () => undefined);
  await telemetry.shutdown();
  expect(otlp.bodies[0]?.path).toBe('/v1/traces');
  expect(otlp.bodies[0]?.body.includes('mayfly.mint')).toBe(true);
  await otlp.close();
});

test('a receiver that is away costs nothing but counted spans', async () => {
  const telemetry = startTelemetry({ service: 'issuer', version: '1', env: { ZIPKIN_ENDPOINT: 'http://127.0.0.1:9/api/v2/spans' } });
  await withSpan(SPANS.mint, {}, () => undefined);
  await telemetry.shutdown();
  expect((await metricsText()).body).toMatch(/^mayfly_telemetry_spans_lost_total 1$/m);
});

test('a receiver that never answers does not hold up the end of the process', async () => {
  const zipkin = await receiver('silent');
  const telemetry = startTelemetry({ service: 'issuer', version: '1', env: { ZIPKIN_ENDPOINT: zipkin.url } });
  await withSpan(SPANS.mint, {}, () => undefined);
  const from = performance.now();
  await telemetry.shutdown();
  expect(performance.now() - from).toBeLessThan(4_000);
  await zipkin.close();
});

test('spans that find no place while a receiver never answers are dropped, and every one is counted', async () => {
  const lost = async (): Promise<number> => Number(/^mayfly_telemetry_spans_lost_total (\d+)$/m.exec((await metricsText()).body)?.[1] ?? 0);
  const zipkin = await receiver('silent');
  const telemetry = startTelemetry({ service: 'issuer', version: '1', env: { ZIPKIN_ENDPOINT: zipkin.url } });
  const before = await lost();
  // The queue holds 4096; up to four batches of 512 may be on their way.
  for (let i = 0; i < 10_000; i += 1) await withSpan(SPANS.mint, {}, () => undefined);
  expect((await lost()) - before).toBeGreaterThanOrEqual(10_000 - 4096 - 4 * 512);
  await telemetry.shutdown();
  await zipkin.close();
});

test.each(['1.5', '-1', 'all'])('a sampling ratio of %s refuses to start', (ratio) => {
  expect(() => startTelemetry({ service: 'x', version: '1', env: { OTEL_TRACES_SAMPLER_ARG: ratio } })).toThrow('OTEL_TRACES_SAMPLER_ARG');
});

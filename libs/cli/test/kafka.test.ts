import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectKafka, type EventProducer, type EventRecord } from '@mayfly/kafka';
import { readTaskEvent } from '@mayfly/task-events';
import { createLogger } from '@mayfly/telemetry';
import { runCommand } from './world.js';

const ETL = resolve('deploy/policies/example/tasks/etl.json');
const AGENT = 'spiffe://example.org/agent/etl';
const home = mkdtempSync(join(tmpdir(), 'mayfly-cli-kafka-'));
let server: { broker: string; stop(): Promise<void> };
let env: Record<string, string>;
let producer: EventProducer;
const written: EventRecord[] = [];
let stopReading: () => Promise<void>;

/** Everything that arrives in the tasks topic, once there is so much. */
async function arrived(count: number): Promise<readonly EventRecord[]> {
  const deadline = Date.now() + 20_000;
  while (written.length < count && Date.now() < deadline) await new Promise((again) => setTimeout(again, 20));
  return written.splice(0);
}

beforeAll(async () => {
  const { start } = (await import(resolve('deploy/local/servers/kafka.mjs'))) as {
    start(options: { home: string }): Promise<typeof server>;
  };
  server = await start({ home });
  env = { KAFKA_BROKERS: server.broker, KAFKA_TOPIC_PREFIX: 'mayfly', MAYFLY_HOME: home };
  await promisify(execFile)(process.execPath, [resolve('deploy/kafka/topics.mjs')], { env: { ...process.env, ...env } });
  const kafka = connectKafka({ brokers: [server.broker], clientId: 'test', logger: createLogger({ service: 'test', level: 'fatal' }) });
  producer = kafka.producer();
  const reader = kafka.consumer({
    groupId: 'test',
    topics: ['mayfly.tasks'],
    deadLetterTopic: 'mayfly.deadletter',
    producer,
    onCrash: () => undefined,
    handle: (record) => Promise.resolve(void written.push(record)),
  });
  await reader.start();
  stopReading = () => reader.stop();
}, 60_000);
afterAll(async () => {
  await stopReading();
  await producer.stop();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('task events', () => {
  it('are such as Mayfly takes: CloudEvents by task, with the trace that the command shows', async () => {
    const start = await runCommand(['task', 'start', '--file', ETL, '--id', 'etl-7', '--json'], { env });
    const end = await runCommand(['task', 'end', 'etl-7', '--outcome', 'failed', '--reason', 'empty'], { env });
    const beat = await runCommand(['task', 'heartbeat', 'etl-7'], { env });
    expect([start.code, end.code, beat.code]).toEqual([0, 0, 0]);
    const shown = JSON.parse(start.out) as { traceId: string; eventId: string; traceparent: string };
    const records = await arrived(3);
    expect(records.map(({ key }) => key)).toEqual(['etl-7', 'etl-7', 'etl-7']);
    const [started, ended, heartbeat] = records.map(({ key, headers, value }) => readTaskEvent({ key, headers, value }));
    expect(started).toMatchObject({
      kind: 'started',
      task: { taskId: 'etl-7', agent: { id: AGENT } },
      envelope: { source: 'urn:example:orchestrator', id: shown.eventId, traceparent: shown.traceparent },
    });
    expect(shown.traceparent).toContain(shown.traceId);
    expect(ended).toMatchObject({ kind: 'ended', end: { outcome: 'failed', reason: 'empty' } });
    expect(heartbeat).toMatchObject({ kind: 'heartbeat', taskId: 'etl-7' });
  });

  it('get a task id where the file has none, and come from standard input', async () => {
    const { taskId: _, ...data } = JSON.parse(await readFile(ETL, 'utf8')) as Record<string, unknown>;
    const { code, out } = await runCommand(['task', 'start', '--file', '-'], { env, input: () => Promise.resolve(JSON.stringify(data)) });
    expect(code).toBe(0);
    const [record] = await arrived(1);
    expect(record?.key).toMatch(/^task-[a-z2-7]{12}$/);
    expect(out).toContain(`task   ${record?.key} started`);
  });

  it('go on with a trace that is given', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { out } = await runCommand(['task', 'end', 'etl-7', '--traceparent', traceparent, '--json'], { env });
    expect(JSON.parse(out)).toMatchObject({ traceId: 'a'.repeat(32) });
    await arrived(1);
  });

  it.each([
    ['{"taskId":"etl-8"}', 'this start would be refused'],
    ['[1]', 'does not hold one JSON object'],
    ['{', 'does not hold one JSON object'],
  ])('are not sent when they could only become dead letters: %s', async (text, why) => {
    const { code, err } = await runCommand(['task', 'start', '--file', '-'], { env, input: () => Promise.resolve(text) });
    expect([code, err]).toEqual([1, expect.stringContaining(why)]);
    expect(written).toHaveLength(0);
  });

  it('say so in a sentence when Kafka is away', async () => {
    const { code, err } = await runCommand(['task', 'end', 'etl-7'], { env: { ...env, KAFKA_BROKERS: '127.0.0.1:1' } });
    expect([code, err]).toEqual([1, expect.stringContaining('kafka-unavailable')]);
  });
});

describe('watch', () => {
  it('shows the events of one task, live and from before, until it is ended', async () => {
    const event = (taskId: string, type: string, data: object) => ({
      key: taskId,
      value: JSON.stringify({ specversion: '1.0', type, time: '2026-01-01T10:00:00Z', subject: taskId, data }),
      headers: { 'content-type': 'application/cloudevents+json' },
    });
    await producer.send('mayfly.credentials', [
      event('a', 'dev.mayfly.credential.issued.v1', { credential: 'orders', capability: 'orders-db.read' }),
      event('b', 'dev.mayfly.credential.issued.v1', { credential: 'other' }),
      { key: 'a', value: 'no event', headers: {} },
    ]);
    const ending = new AbortController();
    let out = '';
    const write = (text: string): void => {
      out += text;
      // Two topics have no order between them.
      if (out.includes('issued') && out.includes('revoked')) ending.abort();
    };
    const watching = runCommand(['watch', '--task', 'a', '--all'], {
      env,
      out: write,
      ending: () => ending.signal,
      err: () =>
        void producer.send('mayfly.revocations', [
          event('a', 'dev.mayfly.credential.revoked.v1', { credential: 'orders', cause: 'task_ended' }),
        ]),
    });
    expect((await watching).code).toBe(0);
    expect(out.trim().split('\n').sort()).toEqual([
      '10:00:00.000  a  credential.issued  orders  orders-db.read',
      '10:00:00.000  a  credential.revoked  orders  cause=task_ended',
    ]);
  });
});

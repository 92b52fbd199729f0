import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import {
  ENDED,
  event,
  HEARTBEAT,
  RISK,
  signed,
  SIGNING_KEY,
  SIGNING_SOURCE,
  strangersKey,
  STRUCTURED,
  text,
} from '../../world/hostile-events.js';
import { openDatabase } from '@mayfly/postgres';
import { etlTask, SOURCE, until, World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

interface Poison {
  readonly value: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}
type Row = readonly [name: string, poison: (taskId: string) => Poison['value'] | Poison | Promise<string>, reason: string];

const nested = (depth: number): string => `{"data":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const manyKeys = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"${at}":1`).join()}}`;
const ttl = (value: string) => (taskId: string) => text(taskId).replace('"ttlSeconds":60', `"ttlSeconds":${value}`);
const without = (name: string) => (taskId: string) => text(taskId, {}, { [name]: undefined });
const at = (time: string) => (taskId: string) => text(taskId, {}, { time });
const id = (taskId: string) => () => text(taskId);
const binary = (taskId: string, headers: Readonly<Record<string, string>>): Poison => {
  const { data, ...attributes } = event(taskId);
  const named = Object.entries(attributes).map(([name, value]) => [`ce_${name}`, String(value)]);
  return { value: JSON.stringify(data), headers: { 'content-type': 'application/json', ...Object.fromEntries(named), ...headers } };
};

/** One record each that has to be parked: the bad-input matrix, events; the number is the row. What needs a history has a test of its own below. */
const BAD: readonly Row[] = [
  ['[bad 1] not JSON', () => 'task started!', 'not-json'],
  ['[bad 1] nothing at all', () => '', 'not-json'],
  ['[bad 2] truncated UTF-8', () => Buffer.from([0x7b, 0x22, 0xe2, 0x82]), 'invalid-encoding'],
  ['[bad 2] a byte order mark', (taskId) => `\uFEFF${text(taskId)}`, 'invalid-encoding'],
  ['[bad 2] a lone surrogate', (taskId) => text(taskId).replace('refresh', '\\ud800'), 'invalid-encoding'],
  ['[bad 3] a key twice', (taskId) => text(taskId).replace('"risk":12', '"risk":12,"ris\\u006b":1'), 'duplicate-keys'],
  ['[bad 4] __proto__', (taskId) => text(taskId).replace('"risk":12', '"risk":12,"__proto__":{"admin":true}'), 'forbidden-keys'],
  ['[bad 4] constructor.prototype', (taskId) => text(taskId, { constructor: { prototype: { admin: true } } }), 'forbidden-keys'],
  ['[bad 5] depth 10,000', () => nested(10_000), 'too-deep'],
  ['[bad 6] 20,000 keys', () => manyKeys(20_000), 'too-many-keys'],
  ['[bad 6] 100,000 keys', () => manyKeys(100_000), 'event-too-large'],
  ['[bad 6] a string of 900 KB', (taskId) => text(taskId, { intent: { purpose: 'x'.repeat(900_000) } }), 'event-too-large'],
  [
    '[bad 6] 5,000 headers',
    (taskId) => binary(taskId, Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`h${n}`, '1']))),
    'too-large',
  ],
  ['[bad 9] no id', without('id'), 'invalid-cloudevent'],
  ['[bad 9] no source', without('source'), 'invalid-cloudevent'],
  ['[bad 9] no type', without('type'), 'invalid-cloudevent'],
  ['[bad 9] no specversion', without('specversion'), 'invalid-cloudevent'],
  ['[bad 10] specversion 0.3', (taskId) => text(taskId, {}, { specversion: '0.3' }), 'unsupported-specversion'],
  ['[bad 10] specversion 2.0 in binary mode', (taskId) => binary(taskId, { ce_specversion: '2.0' }), 'unsupported-specversion'],
  ['[bad 13] an unknown type', (taskId) => text(taskId, {}, { type: 'dev.mayfly.task.paused.v1' }), 'unknown-type'],
  ['[bad 13] an outcome sent back in', (taskId) => text(taskId, {}, { type: 'dev.mayfly.grant.issued.v1' }), 'unknown-type'],
  ['[bad 14] 1970', at('1970-01-01T00:00:00Z'), 'time-out-of-window'],
  ['[bad 14] ten years ahead', at('2036-11-22T10:00:00Z'), 'time-out-of-window'],
  ['[bad 14] a leap second', at('2026-12-31T23:59:60Z'), 'invalid-cloudevent'],
  ['[bad 14] no zone', at('2026-11-22T10:00:00'), 'invalid-cloudevent'],
  ...['0', '-1', '1e308', '"1h "', '9007199254740993', 'null'].map((value): Row => [
    `[bad 19] a ttl of ${value}`,
    ttl(value),
    'invalid-data',
  ]),
  ['[bad 19] a ttl of NaN', ttl('NaN'), 'not-json'],
  ['[bad 20] a key of another task', (taskId) => text(`${taskId}-other`), 'key-mismatch'],
  [
    '[bad 21] a header against the body',
    (taskId) => ({ value: text(taskId), headers: { ...STRUCTURED, ce_source: SIGNING_SOURCE } }),
    'contradiction',
  ],
  ['[bad 23] an unsigned start', (taskId) => text(taskId, {}, { source: SIGNING_SOURCE }), 'unsigned'],
  [
    "[bad 24] a stranger's key under its own name",
    async (taskId) => signed(event(taskId, {}, { source: SIGNING_SOURCE }), { key: await strangersKey('x') }),
    'signer-not-allowed',
  ],
  [
    '[bad 24] a good key under a source that is not its own',
    (taskId) => signed(event(taskId, {}, { source: SOURCE })),
    'signer-not-allowed',
  ],
  [
    "[bad 25] a stranger's signature under the right key's name",
    async (taskId) => signed(event(taskId, {}, { source: SIGNING_SOURCE }), { key: await strangersKey(SIGNING_KEY.kid!) }),
    'bad-signature',
  ],
  [
    '[bad 25] a signature over a smaller wish',
    (taskId) => signed(event(taskId, {}, { source: SIGNING_SOURCE }), { told: { data: { ...etlTask(taskId), credentials: [] } } }),
    'bad-signature',
  ],
  [
    '[bad 25] a signature over an end, sent as a start',
    (taskId) => signed(event(taskId, {}, { source: SIGNING_SOURCE }), { told: { type: ENDED } }),
    'bad-signature',
  ],
  [
    '[bad 26] an event that was signed for another installation',
    (taskId) => signed(event(taskId, {}, { source: SIGNING_SOURCE }), { audience: 'mayfly-staging' }),
    'wrong-audience',
  ],
  ...['a/b', '..', '%2e%2e', 'a\0b', 'a\nb', 'a\u202eb', 'é', 'e\u0301', '', 'a'.repeat(4096)].map((taskId): Row => [
    `[bad 28] task id ${JSON.stringify(taskId.slice(0, 12))}`,
    id(taskId),
    taskId.includes('\0') ? 'invalid-encoding' : 'invalid-task-id',
  ]),
  ['no purpose', (taskId) => text(taskId, { intent: {} }), 'invalid-data'],
  ['wrong types', (taskId) => text(taskId, { credentials: 'all' }), 'invalid-data'],
  ['a source that nobody registered', (taskId) => text(taskId, {}, { source: 'urn:somebody:else' }), 'unregistered-source'],
];
const SECURITY = ['unsigned', 'bad-signature', 'signer-not-allowed', 'wrong-audience'];

/** Evidence of a refusal, once it is in the log. */
const refusal = (taskId: string, reason: string) =>
  until(`evidence of ${reason} about ${taskId}`, () =>
    world.events.find(
      ({ topic, data }) =>
        topic === 'mayfly.evidence' &&
        data['kind'] === 'dev.mayfly.evidence.event-refused.v1' &&
        data['taskId'] === taskId &&
        data['data'].reason === reason,
    ),
  );
const metrics = async (service: string): Promise<string> => (await fetch(`http://127.0.0.1:${world.dev.ports[service]}/metrics`)).text();
const sum = (page: string, name: string, label = ''): number =>
  page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
    .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);

/** Another start of the same task on the same partition, which is decided without a mint: it is through when all before it is. */
async function neighbour(taskId: string): Promise<void> {
  await world.start([{ name: 'n', capability: 'orders-db.owner' }], { taskId });
  await world.event(taskId, 'grant.denied');
}

describe('what cannot be acted on is parked untouched, and the next record of its task is handled at once', () => {
  const poisoned: string[] = [];

  test.each(BAD)('%s', async (_name, poison, reason) => {
    const key = world.newTaskId('bad');
    poisoned.push(key);
    const made = await poison(key);
    const { value, headers = STRUCTURED }: Poison = typeof made === 'string' || Buffer.isBuffer(made) ? { value: made } : made;
    await world.produce({ key, value, headers });
    const letter = await world.deadLetter(key);
    expect(letter.headers).toMatchObject({ 'mayfly-reason': reason, 'mayfly-detail': expect.stringMatching(/^.{10,500}$/) });
    expect(letter.headers['mayfly-origin']).toMatch(/^mayfly\.tasks\/\d+\/\d+$/);
    expect(letter.value.equals(Buffer.from(value as string))).toBe(true);
    for (const [name, was] of Object.entries(headers).slice(0, 60)) expect(letter.headers[name]).toBe(was);
    if (SECURITY.includes(reason)) await refusal(key, reason);
    await neighbour(key);
    expect(world.eventsOf(key).map(({ type }) => type)).toEqual(['dev.mayfly.grant.denied.v1']);
    expect(world.records.filter(({ topic, key: of }) => topic === 'mayfly.deadletter' && of === key)).toHaveLength(1);
  });

  test('nothing was minted for any of them: not in the ledger, and not at the target', async () => {
    expect(poisoned).toHaveLength(BAD.length);
    const database = openDatabase({ url: world.dev.postgres.url, applicationName: 'test', maxConnections: 1 });
    const grants = await database.run<{ id: string; leases: string }>(
      'test grants',
      'select id, (select count(*) from ledger.lease where grant_id = g.id) as leases from ledger.task_grant g where task_id = any($1)',
      [poisoned],
    );
    const principals = await database.run<{ rolname: string }>('test roles', 'select rolname from pg_roles');
    await database.close();
    expect(grants.map(({ leases }) => Number(leases))).toEqual(poisoned.map(() => 0));
    for (const { id } of grants) expect(principals.filter(({ rolname }) => rolname.includes(id))).toEqual([]);
    expect(Object.prototype).not.toHaveProperty('admin');
  });

  test('forged events are counted', async () => {
    const page = await metrics('issuer');
    for (const reason of SECURITY) expect(sum(page, 'mayfly_events_suspicious_total', `"${reason}"`)).toBeGreaterThan(0);
  });
});

describe('what only a history shows', () => {
  test('[bad 7] a value over the topic’s limit does not get in', async () => {
    const key = world.newTaskId('bad');
    await expect(world.produce({ key, value: 'x'.repeat(2_000_000), headers: STRUCTURED })).rejects.toMatchObject({
      code: 'record-too-large',
    });
    await neighbour(key);
  });

  test('[bad 8] records without a value are ignored and counted', async () => {
    const key = world.newTaskId('bad');
    const before = sum(await metrics('issuer'), 'mayfly_kafka_tombstones_total');
    for (let sent = 0; sent < 3; sent += 1) await world.produce({ key, value: null, headers: {} });
    await neighbour(key);
    expect(sum(await metrics('issuer'), 'mayfly_kafka_tombstones_total')).toBe(before + 3);
    expect(world.records.filter(({ topic, key: of }) => topic === 'mayfly.deadletter' && of === key)).toEqual([]);
  });

  test('[bad 12] the same source and id with other content; [bad 17] a second start that wants more', async () => {
    const taskId = world.newTaskId('bad');
    await world.start('orders-db.read', { taskId, id: `c-${taskId}` });
    await world.event(taskId, 'credential.issued');
    await world.start(['orders-db.read', 'service.cert'], { taskId, id: `c-${taskId}` });
    await world.deadLetter(taskId, 'event-conflict');
    await refusal(taskId, 'event-conflict');
    await world.start(['orders-db.read', 'service.cert'], { taskId });
    await world.deadLetter(taskId, 'task-conflict');
    await refusal(taskId, 'task-conflict');
    expect((await world.agent().task(taskId)).credentials).toHaveLength(1);
    await world.end(taskId);
  });

  test('[bad 18] an end by another orchestrator, registered or not, ends nothing', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    await world.end(taskId, { source: 'urn:somebody:else' });
    await world.deadLetter(taskId, 'unregistered-source');
    const end = { ...event(taskId, {}, { source: SIGNING_SOURCE, type: ENDED }), data: { taskId, outcome: 'failed' } };
    await world.produce({ key: taskId, value: await signed(end), headers: STRUCTURED });
    await world.deadLetter(taskId, 'foreign-task');
    await refusal(taskId, 'foreign-task');
    expect((await world.agent().task(taskId)).state).toBe('granted');
    await world.end(taskId);
    await world.event(taskId, 'grant.closed');
  });

  test('[bad 22] headers that ask for an answer get none', async () => {
    const taskId = world.newTaskId('bad');
    const mark = `reply-${taskId}`;
    const asking = {
      kafka_replyTopic: 'mayfly.evidence',
      kafka_correlationId: mark,
      kafka_replyPartition: '0',
      'reply-to': 'mayfly.evidence',
    };
    await world.produce({ key: taskId, value: text(taskId), headers: { ...STRUCTURED, ...asking } });
    await world.event(taskId, 'credential.issued');
    await world.end(taskId);
    await world.event(taskId, 'grant.closed');
    expect(world.records.filter(({ headers, value }) => JSON.stringify(headers).includes(mark) || value.includes(mark))).toEqual([]);
  });

  test('[bad 23] [bad 25] [bad 26] nobody ends, keeps alive or taints a task in the name of an orchestrator that signs', async () => {
    const taskId = world.newTaskId('bad');
    const say = (type: string, data: object, lie?: Parameters<typeof signed>[1]) =>
      signed({ ...event(taskId, {}, { source: SIGNING_SOURCE, type }), data }, lie);
    const put = (value: string, topic?: string) => world.produce({ key: taskId, value, headers: STRUCTURED }, topic);
    const bare = async (type: string, data: object) => (await say(type, data)).replace(/,"mayflysignature":"[^"]*"/, '');
    await put(await signed(event(taskId, {}, { source: SIGNING_SOURCE })));
    await world.event(taskId, 'credential.issued');
    const end = { taskId, outcome: 'failed' };
    const risk = { subject: { taskId }, risk: 100 };
    await put(await bare(ENDED, end));
    await put(await bare(HEARTBEAT, { taskId }));
    await put(await bare(RISK, risk), 'mayfly.signals');
    await put(await say(ENDED, end, { told: { data: { taskId, outcome: 'succeeded' } } }));
    await put(await say(ENDED, end, { audience: 'mayfly-staging' }));
    await put(await say(RISK, risk, { audience: 'mayfly-staging' }), 'mayfly.signals');
    await until('all six are parked', () =>
      world.records.filter(({ topic, key }) => topic === 'mayfly.deadletter' && key === taskId).length === 6 ? true : undefined,
    );
    const reasons = world.records
      .filter(({ topic, key }) => topic === 'mayfly.deadletter' && key === taskId)
      .map(({ headers }) => headers['mayfly-reason']);
    expect(reasons.sort()).toEqual(['bad-signature', 'unsigned', 'unsigned', 'unsigned', 'wrong-audience', 'wrong-audience']);
    expect(await world.agent().task(taskId)).toMatchObject({ state: 'granted', credentials: [{ state: 'active' }] });
    await put(await say(HEARTBEAT, { taskId }));
    await put(await say(ENDED, end));
    await world.event(taskId, 'grant.closed');
    expect(world.records.filter(({ topic, key }) => topic === 'mayfly.deadletter' && key === taskId)).toHaveLength(6);
  });

  test('[bad 26] a start that is replayed on the signals topic', async () => {
    const taskId = world.newTaskId('bad');
    await world.produce({ key: taskId, value: text(taskId), headers: STRUCTURED }, 'mayfly.signals');
    await world.deadLetter(taskId, 'unknown-type');
    await neighbour(taskId);
  });

  test('[bad 27] a batch of 1 MiB that unpacks to 64 does not get in; whatever packs its batches otherwise is read', async () => {
    const { CompressionTypes: types, Kafka, logLevel, Partitioners } = kafkajs;
    const producer = new Kafka({ brokers: [...world.dev.kafka.brokers], logLevel: logLevel.NOTHING }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const key = world.newTaskId('bad');
    const bomb = { topic: 'mayfly.tasks', compression: types.GZIP, messages: [{ key, value: Buffer.alloc(64 * 1024 * 1024) }] };
    await expect(producer.send(bomb)).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
    const twins = Array.from({ length: 200 }, () => ({ key, value: 'poison', headers: {} }));
    await producer.send({ topic: 'mayfly.tasks', compression: types.GZIP, messages: twins });
    await producer.disconnect();
    await neighbour(key);
    const letters = () => world.records.filter(({ topic, key: of }) => topic === 'mayfly.deadletter' && of === key).length;
    await until('each of the 200 is parked', () => (letters() === 200 ? true : undefined));
  });

  test('[bad 28] a twin in upper case is another task: neither knows the other', async () => {
    const taskId = world.newTaskId('bad');
    const twin = taskId.toUpperCase();
    await neighbour(taskId);
    expect((await world.ask(`/v1/tasks/${twin}`)).status).toBe(404);
    await world.end(twin);
    await until('the end was taken in', async () =>
      (await world.operate(`/v1/tasks/${twin}/timeline`)).status === 200 ? true : undefined,
    );
    await world.start('orders-db.read', { taskId: twin });
    await world.deadLetter(twin, 'task-ended');
    expect((await world.ask(`/v1/tasks/${taskId}`)).status).toBe(200);
  });
});

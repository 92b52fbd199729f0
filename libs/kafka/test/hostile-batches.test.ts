/** Batches and records that cost the reader more than the writer, on a real broker. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import zlib from 'node:zlib';
import { MAX_READ_HEADERS, MAX_UNPACKED_BYTES } from '../src/bound-decoding.js';
import { startRealKafka, until } from './real-kafka.js';

const { CompressionCodecs: codecs, CompressionTypes: types } = kafkajs;
let world: Awaited<ReturnType<typeof startRealKafka>>;
beforeAll(async () => {
  world = await startRealKafka();
}, 60_000);
afterAll(() => world.stop(), 60_000);

/** A topic, and what comes out of it in the end: handled values and dead letters by reason. */
async function reading(config: Readonly<Record<string, string>> = {}) {
  const [input, dead] = [await world.topic(1, config), await world.topic()];
  const seen: string[] = [];
  await world.consume({ topics: [input], deadLetterTopic: dead, handle: async ({ value }) => void seen.push(String(value)) });
  return { input, dead, seen };
}
const send = (topic: string, compression: number, ...values: (string | Buffer)[]) =>
  world.writer.send({ topic, compression, messages: values.map((value) => ({ key: 'k', value })) });

/** Packs as producers in other languages do; our consumers need not. */
function lend(type: keyof typeof codecs, compress: (bytes: Buffer) => Buffer): void {
  const ours = codecs[type]() as object;
  codecs[type] = () => ({ ...ours, compress: async ({ buffer }: { buffer: Buffer }) => compress(buffer) });
}
/** Snappy in xerial's frame, everything as literals. */
function snappy(bytes: Buffer): Buffer {
  const literals: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 60) {
    const part = bytes.subarray(at, at + 60);
    literals.push(Buffer.from([(part.length - 1) << 2]), part);
  }
  const size: number[] = [];
  let rest = bytes.length;
  for (; rest > 0x7f; rest >>>= 7) size.push((rest & 0x7f) | 0x80);
  const block = Buffer.concat([Buffer.from([...size, rest]), ...literals]);
  const head = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
  head.writeInt32BE(block.length, 16);
  return Buffer.concat([head, block]);
}

test('[bad 27] a gzip bomb is parked for what it is; memory stays bounded and the partition goes on', async () => {
  const { input, dead, seen } = await reading({ 'compression.type': 'producer' });
  await send(input, types.GZIP, 'before');
  const before = process.memoryUsage().rss;
  await send(input, types.GZIP, Buffer.alloc(64 * 1024 * 1024), 'beside it');
  await send(input, types.GZIP, 'after');
  await until(() => seen.includes('after'));
  expect(seen).toEqual(['before', 'after']);
  const letters = await world.read(dead, 2);
  expect(letters.map(({ headers }) => String(headers?.['mayfly-reason']))).toEqual(['unreadable-batch', 'unreadable-batch']);
  expect(letters.map(({ headers }) => String(headers?.['mayfly-origin'])).sort()).toEqual([`${input}/0/1`, `${input}/0/2`]);
  // The writer of the bomb is this process too: 64 MiB, packed and not, are its own.
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
}, 60_000);

test('[bad 27] where the topic unpacks itself, the bomb does not even get in', async () => {
  const { input, seen } = await reading({ 'compression.type': 'uncompressed', 'max.message.bytes': '1048576' });
  await expect(send(input, types.GZIP, Buffer.alloc(MAX_UNPACKED_BYTES))).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
  await send(input, types.GZIP, 'after');
  await until(() => seen.length > 0);
  expect(seen).toEqual(['after']);
}, 60_000);

test('[bad 27] zstd is read, snappy is parked, and no codec ends the consumer', async () => {
  lend(types.ZSTD, (bytes) => zlib.zstdCompressSync(bytes));
  lend(types.Snappy, snappy);
  const { input, dead, seen } = await reading({ 'compression.type': 'producer' });
  await send(input, types.ZSTD, 'by zstd');
  await send(input, types.Snappy, 'by snappy');
  await send(input, types.ZSTD, Buffer.alloc(MAX_UNPACKED_BYTES + 1));
  await send(input, types.None, 'after');
  await until(() => seen.includes('after'));
  expect(seen).toEqual(['by zstd', 'after']);
  expect(await world.read(dead, 2)).toHaveLength(2);
});

test('where the topic unpacks itself, every codec is read', async () => {
  const { input, seen } = await reading({ 'compression.type': 'uncompressed' });
  await send(input, types.Snappy, 'by snappy');
  await until(() => seen.length > 0);
  expect(seen).toEqual(['by snappy']);
});

test('[bad 6] a record of 20,000 headers is read in a moment, up to a bound', async () => {
  const { input, seen } = await reading();
  const headers = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`h${at}`, 'x']));
  let read = 0;
  await world.consume({
    topics: [input],
    maxRecordBytes: Infinity,
    handle: async (record) => void (read = Math.max(read, Object.keys(record.headers).length)),
  });
  await world.writer.send({ topic: input, messages: [{ key: 'k', value: 'many', headers }] });
  await send(input, types.None, 'after');
  await until(() => seen.includes('after') && read > 0);
  expect(read).toBeLessThanOrEqual(MAX_READ_HEADERS);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadKeys } from '../src/load-keys.js';

const MAX_BYTES = 524_288;
const SET = { keys: [{ kty: 'EC', kid: 'k' }] };
const URL = 'https://issuer.example/keys';

const answering = (body: string, status = 200) => loadKeys({ url: URL }, async () => new Response(body, { status }));

describe('keys by URL', () => {
  test('are asked for as JSON, where the trust file says and nowhere else', async () => {
    const asked: unknown[] = [];
    await loadKeys({ url: URL }, async (...request) => {
      asked.push(request);
      return new Response(JSON.stringify(SET));
    });
    const options = { redirect: 'error', headers: { accept: 'application/json' }, signal: expect.any(AbortSignal) };
    expect(asked).toEqual([[URL, options]]);
  });

  test.each([201, 203, 206, 404, 500, 503])('are not taken from an answer %d, whatever it holds', async (status) => {
    await expect(answering(JSON.stringify(SET), status)).rejects.toThrow(`the key endpoint answered ${status}`);
  });

  test('are at most 512 KiB', async () => {
    const long = (length: number): string => JSON.stringify(SET).padEnd(length);
    expect(await answering(long(MAX_BYTES))).toEqual(SET);
    await expect(answering(long(MAX_BYTES + 1))).rejects.toThrow('the key endpoint sends too much');
  });

  test('are none where the answer is empty', async () => {
    await expect(loadKeys({ url: URL }, async () => new Response(null))).rejects.toThrow(SyntaxError);
  });
});

describe('a set of keys', () => {
  test.each<[string, unknown]>([
    ['keys that are no list', { keys: {} }],
    ['no keys', {}],
    ['a key without a type', { keys: [{ kid: 'k' }] }],
    ['a type that is no text', { keys: [{ kty: 1 }] }],
    ['101 keys', { keys: Array.from({ length: 101 }, () => SET.keys[0]) }],
    ['a list at its top', [SET]],
  ])('is not taken with %s', async (_, body) => {
    await expect(answering(JSON.stringify(body))).rejects.toThrow();
  });

  test('may have 100 keys, members that nobody knows, and a hint that says nothing', async () => {
    const many = { keys: Array.from({ length: 100 }, () => SET.keys[0]) };
    expect(await answering(JSON.stringify(many))).toEqual(many);
    expect(await answering(JSON.stringify({ ...SET, spiffe_sequence: 1, spiffe_refresh_hint: 60 }))).toMatchObject({
      spiffe_refresh_hint: 60,
    });
    for (const hint of [0, -1, 'soon']) {
      const { spiffe_refresh_hint: read } = await answering(JSON.stringify({ ...SET, spiffe_refresh_hint: hint }));
      expect(read).toBeUndefined();
    }
  });
});

describe('keys by file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-load-keys-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('are read without any request', async () => {
    const file = join(folder, 'keys.json');
    await writeFile(file, JSON.stringify(SET));
    expect(await loadKeys({ file }, () => Promise.reject(new Error('a request')))).toEqual(SET);
    await expect(loadKeys({ file: join(folder, 'none.json') }, globalThis.fetch)).rejects.toThrow('ENOENT');
  });
});

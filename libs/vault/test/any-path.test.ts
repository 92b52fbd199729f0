import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fillPath } from '../src/path.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now() % 0x7fffffff);
const RUNS = { numRuns: 2_000, seed };
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(fc.constantFrom('..', '.', '/', '%2f', '%2e', '\\', '*', '+', 'a', 'b1', '?', '#', '\0', '\n', ' ', '{role}', '$&'), {
      maxLength: 6,
    })
    .map((parts) => parts.join('')),
);
const attempt = (template: string, values: Readonly<Record<string, string>>): string | undefined => {
  try {
    return fillPath(template, values);
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid-request' });
    return undefined;
  }
};

describe(`any path (FC_SEED=${seed})`, () => {
  test('[bad 68] of one name stays one level under its prefix, and says that name and nothing else', () => {
    fc.assert(
      fc.property(hostile, (role) => {
        const path = attempt('database/creds/{role}', { role });
        if (path === undefined) return;
        expect(path).toBe(`database/creds/${role}`);
        expect(path.split('/')).toHaveLength(3);
      }),
      RUNS,
    );
  });
  test('[bad 68] of several names stays under its prefix, however a server cleans or decodes it', () => {
    fc.assert(
      fc.property(hostile, (place) => {
        const path = attempt('kv/data/{+path}', { path: place });
        if (path === undefined) return;
        expect(path).toBe(`kv/data/${place}`);
        expect(new URL(path, 'http://vault/v1/').pathname).toBe(`/v1/${path}`);
        expect(decodeURIComponent(path)).toBe(path);
        expect(path).not.toMatch(/\/\/|\/$|\.\./);
      }),
      RUNS,
    );
  });
  test('of good names is made', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_:-]{0,20}$/);
    fc.assert(
      fc.property(name, fc.array(name, { minLength: 1, maxLength: 4 }), (role, parts) => {
        expect(attempt('pki/issue/{role}', { role })).toBe(`pki/issue/${role}`);
        expect(attempt('kv/data/{+path}', { path: parts.join('/') })).toBe(`kv/data/${parts.join('/')}`);
      }),
      RUNS,
    );
  });
});

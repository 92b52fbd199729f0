import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { format, inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { Secret } from '@mayfly/domain';
import fc from 'fast-check';

const VALUE = 'hunter2-9f8e7d';
const secret = new Secret({ password: VALUE });

/** What a console would print. */
function printed(print: (console: Console) => void): string {
  let text = '';
  const stdout = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  print(new Console({ stdout, stderr: stdout }));
  return text;
}

const cloned = (value: unknown): string => inspect(structuredClone(value), { depth: null, showHidden: true });

const ways: readonly [string, () => string][] = [
  ['String', () => String(secret)],
  ['a template', () => `${secret as unknown as string}`],
  ['concatenation', () => '' + (secret as unknown as string)],
  ['JSON', () => JSON.stringify({ deep: [secret] })],
  ['inspect', () => inspect({ deep: { secret } }, { depth: null, showHidden: true, getters: true, showProxy: true })],
  ['inspect without custom forms', () => inspect(secret, { customInspect: false, depth: null, showHidden: true })],
  ['format', () => format('%s %o %O %j %d', secret, secret, secret, secret, secret)],
  ['console.log', () => printed((console) => console.log('got', secret, '%s', secret))],
  ['console.dir', () => printed((console) => console.dir(secret, { depth: null, showHidden: true }))],
  ['console.table', () => printed((console) => console.table([{ secret }]))],
  ['structuredClone', () => cloned({ secret })],
  ['a copy of its properties', () => inspect({ ...secret }, { showHidden: true })],
  ['its keys and symbols', () => inspect([Object.entries(secret), Reflect.ownKeys(secret), Object.getOwnPropertyDescriptors(secret)])],
  ['an error that carries it', () => inspect(new Error('failed', { cause: secret }), { depth: null, showHidden: true })],
];

test.each(ways)('a secret never shows in %s', (_, show) => {
  expect(show()).not.toContain(VALUE);
});

test('a secret says what it is where it is shown', () => {
  expect([String(secret), JSON.stringify(secret), inspect(secret)]).toEqual(['[secret]', '"[secret]"', '[secret]']);
});

test('only its holder gets the value out, and gets exactly that', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expect(new Secret(value).reveal()).toBe(value);
    }),
  );
  expect((structuredClone(secret) as Partial<Secret<unknown>>).reveal).toBeUndefined();
});

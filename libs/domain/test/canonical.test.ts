import { expect, test } from '@jest/globals';
import { canonicalJson, digestOf } from '@mayfly/domain';
import fc from 'fast-check';

/** The same value with the keys of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  // Not by assignment: a key `__proto__` would set the prototype instead.
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, reordered(part)]),
  );
}

test('key order changes neither the canonical form nor the digest', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(reordered(value))).toBe(canonicalJson(value));
      expect(digestOf(reordered(value))).toBe(digestOf(value));
    }),
  );
});

test('the canonical form says the same as the value, and is canonical itself', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
});

test('values that differ have digests that differ', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      fc.pre(canonicalJson(one) !== canonicalJson(other));
      expect(digestOf(one)).not.toBe(digestOf(other));
    }),
  );
});

test('has the form of RFC 8785: sorted by UTF-16 code units, no spaces, shortest numbers', () => {
  expect(canonicalJson({ b: 1e21, a: [0.1, -0, 'é\n'], '\u{1f600}': null, '\ufb33': true })).toBe(
    '{"a":[0.1,0,"é\\n"],"b":1e+21,"\u{1f600}":null,"\ufb33":true}',
  );
  expect(digestOf({})).toBe('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
});

test.each([[undefined], [() => 1], [Number.NaN], [Number.POSITIVE_INFINITY]])('%p has no canonical form', (value) => {
  expect(() => canonicalJson(value)).toThrow();
});

import { expect, test } from '@jest/globals';
import { spiffeId } from '@mayfly/identity';

test.each([
  ['spiffe://example.org/agent/etl', 'example.org', '/agent/etl'],
  ['spiffe://a-b.c_d/X/1.2/..._', 'a-b.c_d', '/X/1.2/..._'],
  ['spiffe://a/.b/c../...', 'a', '/.b/c../...'],
  [`spiffe://${'a'.repeat(255)}/a`, 'a'.repeat(255), '/a'],
])('%s is a SPIFFE ID', (text, trustDomain, path) => {
  expect(spiffeId(text)).toEqual({ trustDomain, path });
});

test('a SPIFFE ID is at most 2048 bytes long', () => {
  expect(spiffeId('spiffe://example.org/'.padEnd(2048, 'a'))).toBeDefined();
  expect(spiffeId('spiffe://example.org/'.padEnd(2049, 'a'))).toBeUndefined();
});

test.each([
  'spiffe://example.org',
  'spiffe://example.org/',
  'spiffe://example.org/a/',
  'spiffe://example.org//a',
  'spiffe://example.org/./a',
  'spiffe://example.org/a/..',
  'spiffe://Example.org/a',
  'spiffe://example.org:8443/a',
  'spiffe://user@example.org/a',
  'spiffe://example.org/a?b',
  'spiffe://example.org/a#b',
  'spiffe://example.org/%61',
  'spiffe://example.org/a\n',
  ' spiffe://example.org/a',
  'SPIFFE://example.org/a',
  'https://example.org/a',
  'spiffe:///a',
  `spiffe://${'a'.repeat(256)}/a`,
  '',
])('%j is none', (text) => {
  expect(spiffeId(text)).toBeUndefined();
});

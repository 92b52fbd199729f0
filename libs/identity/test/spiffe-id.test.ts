import { expect, test } from '@jest/globals';
import { spiffeId } from '@mayfly/identity';

test.each(['spiffe://example.org/agent/etl', 'spiffe://a-b.c_d/X/1.2/..._'])('%s is a SPIFFE ID', (text) => {
  expect(spiffeId(text)).toMatchObject({ trustDomain: text.split('/')[2] });
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
  `spiffe://example.org/${'a'.repeat(2048)}`,
  '',
])('%j is none', (text) => {
  expect(spiffeId(text)).toBeUndefined();
});

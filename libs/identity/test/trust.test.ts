import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { createOperatorVerifier, readTrust } from '@mayfly/identity';

const domain = { name: 'example.org', bundle: { file: '/keys' } };
const issuer = { issuer: 'https://a.example.org', jwks: { url: 'https://a.example.org/keys' } };

describe('a trust file', () => {
  test('has an audience of its own only where it says so', () => {
    expect(readTrust('{}')).toEqual({ audience: 'mayfly', trustDomains: [], workloadIssuers: [] });
    expect(readTrust(JSON.stringify({ trustDomains: [domain], workloadIssuers: [issuer] }), 'dev')).toMatchObject({
      trustDomains: [domain],
      workloadIssuers: [issuer],
    });
  });
  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['a value whose length cannot be compared', { audience: { length: { toString: [] } } }, 'wrong type'],
    ['[bad 78] an unknown key', { audiences: ['mayfly'] }, 'top level'],
    ['[bad 78] an unknown key deep inside', { trustDomains: [{ ...domain, bundel: 1 }] }, 'trustDomains.0'],
    ['a trust domain with a scheme', { trustDomains: [{ ...domain, name: 'spiffe://example.org' }] }, 'trustDomains.0.name'],
    ['a trust domain twice', { trustDomains: [domain, domain] }, 'trustDomains'],
    ['both file and url', { trustDomains: [{ ...domain, bundle: { file: 'a', url: 'https://a' } }] }, 'trustDomains.0.bundle'],
    [
      'keys over plain HTTP from elsewhere',
      { workloadIssuers: [{ ...issuer, jwks: { url: 'http://10.0.0.1/keys' } }] },
      'workloadIssuers.0.jwks',
    ],
    ['keys by another scheme', { workloadIssuers: [{ ...issuer, jwks: { url: 'file:///keys' } }] }, 'workloadIssuers.0.jwks'],
    ['an issuer with a fragment', { workloadIssuers: [{ ...issuer, issuer: 'https://a.example.org#b' }] }, 'workloadIssuers.0.issuer'],
    ['a subject with * inside', { workloadIssuers: [{ ...issuer, subject: 'a*b' }] }, 'workloadIssuers.0.subject'],
  ])('is refused with the key that is wrong: %s', (_, file, key) => {
    expect(() => readTrust(typeof file === 'string' ? file : JSON.stringify(file))).toThrow(
      expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(key) }),
    );
  });
  test.each([
    ['[bad 79] algorithms of its own', { algorithms: ['none', 'HS256'] }, 'top level'],
    ['[bad 79] algorithms for one issuer', { workloadIssuers: [{ ...issuer, algorithms: ['HS256'] }] }, 'workloadIssuers.0'],
    [
      '[bad 79] keys over plain HTTP',
      { trustDomains: [{ name: 'a.io', bundle: { url: 'http://127.0.0.1/b' } }] },
      'trustDomains.0.bundle.url',
    ],
    ['[bad 79] an example domain', { trustDomains: [domain] }, 'trustDomains.0.name'],
    ['[bad 79] a test domain', { trustDomains: [{ ...domain, name: 'td.test' }] }, 'trustDomains.0.name'],
    ['[bad 79] an issuer over plain HTTP', { workloadIssuers: [{ ...issuer, issuer: 'http://localhost:1' }] }, 'workloadIssuers.0.issuer'],
    [
      '[bad 79] operators over plain HTTP',
      { operators: { issuer: 'http://127.0.0.1:1', jwks: { url: 'http://127.0.0.1:1/k' }, audience: 'a' } },
      'operators.issuer, operators.jwks.url',
    ],
  ])('is refused in production with %s', (_, file, key) => {
    expect(() => readTrust(JSON.stringify(file))).toThrow(
      expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(key) }),
    );
  });
  test('without operators cannot verify any', () => {
    expect(() => createOperatorVerifier(readTrust('{}'), { clock: new ManualClock() })).toThrow('operators: is missing');
  });
});

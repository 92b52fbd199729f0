import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { createOperatorVerifier, readTrust } from '@mayfly/identity';

const domain = { name: 'acme.io', bundle: { file: '/keys' } };
const issuer = { issuer: 'https://login.acme.io', jwks: { url: 'https://login.acme.io/keys' } };
const operators = { issuer: 'https://login.acme.io', jwks: { file: '/keys' }, audience: 'mayfly-console' };

const INSECURE = 'must be https without credentials or fragment, or http on this machine';
const refusal = (file: unknown, profile?: 'production' | 'dev'): unknown => {
  try {
    return readTrust(typeof file === 'string' ? file : JSON.stringify(file), profile);
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-config' });
    return (error as Error).message;
  }
};
const byIssuer = (url: string) => ({ workloadIssuers: [{ ...issuer, issuer: url }] });

describe('a trust file', () => {
  test('has an audience of its own only where it says so', () => {
    expect(readTrust('{}')).toEqual({ audience: 'mayfly', trustDomains: [], workloadIssuers: [] });
    expect(readTrust('{"audience":"broker"}')).toMatchObject({ audience: 'broker' });
  });
  test('that trusts by TLS and by files is fit for production, which it is read for unless the profile says dev', () => {
    const file = JSON.stringify({ trustDomains: [domain, { name: 'b.io', bundle: issuer.jwks }], workloadIssuers: [issuer], operators });
    for (const profile of ['production', 'dev', undefined] as const)
      expect(readTrust(file, profile)).toEqual({
        audience: 'mayfly',
        trustDomains: [domain, { name: 'b.io', bundle: issuer.jwks }],
        workloadIssuers: [issuer],
        operators: { ...operators, rolesClaim: 'roles' },
      });
  });
  test.each(['repo:org/app', 'repo:org/*', '*'])('may say which subjects count: %s', (subject) => {
    expect(readTrust(JSON.stringify({ workloadIssuers: [{ ...issuer, subject }] })).workloadIssuers).toEqual([{ ...issuer, subject }]);
  });
  test.each([
    'https://login.acme.io/',
    'https://10.0.0.1:8443/realms/a?b=c',
    'http://localhost:9000',
    'http://127.0.0.1:9000',
    'http://[::1]:9000',
  ])('may name what nobody on the way can replace: %s', (url) => {
    expect(readTrust(JSON.stringify(byIssuer(url)), 'dev').workloadIssuers[0]?.issuer).toBe(url);
  });

  test.each<[string, unknown, string]>([
    ['no JSON', '{', 'trust file: is not JSON'],
    ['a value whose length cannot be compared', { audience: { length: { toString: [] } } }, 'trust file: a value has the wrong type'],
    ['[bad 78] an unknown key', { audiences: ['mayfly'] }, 'trust file, top level: Unrecognized key: "audiences"'],
    [
      '[bad 78] an unknown key deep inside',
      { trustDomains: [{ ...domain, bundel: 1 }] },
      'trust file, trustDomains.0: Unrecognized key: "bundel"',
    ],
    ['a trust domain twice', { trustDomains: [domain, domain] }, 'trust file, trustDomains: one name occurs twice'],
    ['an issuer twice', { workloadIssuers: [issuer, issuer] }, 'trust file, workloadIssuers: one name occurs twice'],
    [
      'both file and url',
      { trustDomains: [{ ...domain, bundle: { file: 'a', url: 'https://a' } }] },
      'trust file, trustDomains.0.bundle: must have either file or url',
    ],
    [
      'keys over plain HTTP from elsewhere',
      { workloadIssuers: [{ ...issuer, jwks: { url: 'http://10.0.0.1/keys' } }] },
      `trust file, workloadIssuers.0.jwks.url: ${INSECURE}`,
    ],
    [
      'keys by another scheme',
      { workloadIssuers: [{ ...issuer, jwks: { url: 'file:///keys' } }] },
      `trust file, workloadIssuers.0.jwks.url: ${INSECURE}`,
    ],
    [
      'a subject with * inside',
      { workloadIssuers: [{ ...issuer, subject: 'a*b' }] },
      'trust file, workloadIssuers.0.subject: may have one * at its end',
    ],
    [
      'two mistakes: both are said',
      { audience: '', audiences: [] },
      'trust file, audience: Too small: expected string to have >=1 characters; top level: Unrecognized key: "audiences"',
    ],
  ])('is refused with the key that is wrong: %s', (_, file, message) => {
    for (const profile of ['production', 'dev'] as const) expect(refusal(file, profile)).toBe(message);
  });
  test.each(['spiffe://acme.io', 'Acme.io', 'acme.io/', 'a:1', '', 'a'.repeat(256)])('is refused with the trust domain %j', (name) => {
    expect(refusal({ trustDomains: [{ ...domain, name }] })).toContain('trust file, trustDomains.0.name: ');
  });
  test.each([
    'http://login.acme.io',
    'http://localhost.evil.io',
    'https://user@login.acme.io',
    'https://:word@login.acme.io',
    'https://user:word@login.acme.io',
    'https://login.acme.io#fragment',
    'http://user@localhost',
    'ftp://localhost',
    'ftp://login.acme.io',
    'ws://127.0.0.1',
    'login.acme.io',
    '',
  ])('is refused with an issuer that somebody on the way could be: %j', (url) => {
    expect(refusal(byIssuer(url), 'dev')).toBe(`trust file, workloadIssuers.0.issuer: ${INSECURE}`);
    expect(refusal({ operators: { ...operators, issuer: url } }, 'dev')).toBe(`trust file, operators.issuer: ${INSECURE}`);
  });
});

describe('a trust file for production', () => {
  const plain = { url: 'http://127.0.0.1/keys' };
  const named = (name: string) => ({ trustDomains: [{ ...domain, name }] });

  test.each<[string, unknown, string]>([
    ['[bad 79] keys over plain HTTP', { trustDomains: [{ ...domain, bundle: plain }] }, 'trustDomains.0.bundle.url'],
    ['[bad 79] an issuer over plain HTTP', byIssuer('http://localhost:1'), 'workloadIssuers.0.issuer'],
    [
      "[bad 79] an issuer's keys over plain HTTP",
      { workloadIssuers: [issuer, { ...issuer, issuer: 'https://b.io', jwks: plain }] },
      'workloadIssuers.1.jwks.url',
    ],
    [
      '[bad 79] operators over plain HTTP',
      { operators: { ...operators, issuer: 'http://127.0.0.1:1', jwks: plain } },
      'operators.issuer, operators.jwks.url',
    ],
    [
      'everything that is wrong at once',
      { trustDomains: [{ name: 'td.test', bundle: plain }], ...byIssuer('http://127.0.0.1:1') },
      'trustDomains.0.name, trustDomains.0.bundle.url, workloadIssuers.0.issuer',
    ],
    ...['example', 'example.com', 'example.net', 'example.org', 'a.example.org', 'td.test', 'test', 'invalid', 'a.localhost'].map(
      (name): [string, unknown, string] => [`[bad 79] the trust domain ${name}`, named(name), 'trustDomains.0.name'],
    ),
  ])('is refused with %s', (_, file, keys) => {
    const message = `trust file, ${keys}: only MAYFLY_PROFILE=dev takes plain HTTP and example domains`;
    expect(refusal(file)).toBe(message);
    expect(refusal(file, 'production')).toBe(message);
    expect(refusal(file, 'dev')).toEqual(expect.objectContaining({ audience: 'mayfly' }));
  });
  test.each<[string, object, string]>([
    ['of its own', { algorithms: ['none', 'HS256'] }, 'top level'],
    ['for one issuer', { workloadIssuers: [{ ...issuer, algorithms: ['HS256'] }] }, 'workloadIssuers.0'],
  ])('is refused with algorithms %s: [bad 79]', (_, file, key) => {
    expect(refusal(file)).toBe(`trust file, ${key}: Unrecognized key: "algorithms"`);
  });
  test.each(['my-example.io', 'example.io', 'myexample', 'test.io', 'example.org.io', 'localhost.acme.io'])(
    'may have the trust domain %s, which only looks like an example',
    (name) => {
      expect(refusal(named(name))).toMatchObject(named(name));
    },
  );
});

test('a trust file without operators cannot verify any', () => {
  expect(() => createOperatorVerifier(readTrust('{}'), { clock: new ManualClock() })).toThrow('trust file, operators: is missing');
});

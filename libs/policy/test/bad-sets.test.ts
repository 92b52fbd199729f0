import { beforeAll, describe, expect, test } from '@jest/globals';
import { digestOfFiles, InvalidPolicySet, readPolicyFiles, readPolicySet, refuseDevKeys } from '@mayfly/policy';
import type { PolicyFiles } from '@mayfly/policy';

let example: PolicyFiles;
beforeAll(async () => {
  example = await readPolicyFiles('deploy/policies/example');
});

/** The example with one text in one file replaced; fails when the text is not there. */
const edited = (file: string, from: string | RegExp, to: string): PolicyFiles => {
  const text = example[file] ?? '';
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`nothing to replace in ${file}`);
  return { ...example, [file]: changed };
};
const catalogue = (from: string | RegExp, to: string) => (): PolicyFiles => edited('catalogue.yaml', from, to);
const registrations = (from: string | RegExp, to: string) => (): PolicyFiles => edited('registrations.yaml', from, to);
const schema = (from: string | RegExp, to: string) => (): PolicyFiles => edited('schema.cedarschema', from, to);
const policy = (text: string) => (): PolicyFiles => ({ ...example, 'policies/more.cedar': text });
const without = (file: string) => (): PolicyFiles => Object.fromEntries(Object.entries(example).filter(([path]) => path !== file));

const BAD: [string, () => PolicyFiles, file: string, key: string][] = [
  ['no catalogue', without('catalogue.yaml'), 'catalogue.yaml', 'is missing'],
  ['no schema', without('schema.cedarschema'), 'schema.cedarschema', 'is missing'],
  ['a stray file', () => ({ ...example, 'policies/../x.cedar': '' }), 'policies/../x.cedar', 'not a file'],
  ['too much text', () => ({ ...example, 'policies/big.cedar': ' '.repeat(2_000_000) }), 'policy set', 'more than'],

  ['[bad 65] an unknown key', catalogue('probe: true', 'probe: true\n    audiences: [x]'), 'catalogue.yaml', 'orders-db.read'],
  ['a key twice', catalogue('engine: database', 'engine: database\n    engine: kv'), 'catalogue.yaml', 'unique'],
  ['an alias', catalogue('role: orders-read', 'role: &r orders-read\n    dataClass: *r'), 'catalogue.yaml', ''],
  ['broken YAML', catalogue('capabilities:', 'capabilities: ['), 'catalogue.yaml', 'not one plain YAML document'],
  ['two documents', catalogue(/$/, '\n---\nx: 1\n'), 'catalogue.yaml', 'not one plain YAML document'],
  ['an unknown engine', catalogue('engine: kv', 'engine: cubbyhole'), 'catalogue.yaml', 'reports.kv › engine'],
  ['[bad 66] a wildcard path', catalogue('role: reports/daily', 'role: reports/*'), 'catalogue.yaml', 'reports.kv › role'],
  ['[bad 68] a path that climbs', catalogue('role: reports/daily', 'role: ../secret'), 'catalogue.yaml', 'reports.kv › role'],
  ['[bad 68] an empty segment', catalogue('role: reports/daily', 'role: reports//daily'), 'catalogue.yaml', 'reports.kv › role'],
  ...['root ', ' root', 'rооt', 'root', 'default', 'CAP-reports.kv', 'cap-reports.kv '].map((twin): (typeof BAD)[number] => [
    `[bad 67] the Vault policy ${JSON.stringify(twin)}`,
    catalogue('vaultPolicy: cap-reports.kv', `vaultPolicy: ${JSON.stringify(twin)}`),
    'catalogue.yaml',
    'reports.kv › vaultPolicy',
  ]),
  ...['%2e%2e/secret', 'reports/..', 'reports%2Fdaily', '/reports/daily', 'reports/daily/', './reports'].map(
    (role): (typeof BAD)[number] => [
      `[bad 68] the path ${role}`,
      catalogue('role: reports/daily', `role: ${JSON.stringify(role)}`),
      'catalogue.yaml',
      'reports.kv › role',
    ],
  ),
  [
    '[bad 66] sudo',
    catalogue('vaultPolicy: cap-reports.kv', 'vaultPolicy: cap-reports.kv\n    sudo: true'),
    'catalogue.yaml',
    'reports.kv',
  ],
  ...['*', 'reports/+', 'reports/*'].map((role): (typeof BAD)[number] => [
    `[bad 66] the path ${role}`,
    catalogue('role: reports/daily', `role: ${JSON.stringify(role)}`),
    'catalogue.yaml',
    'reports.kv › role',
  ]),
  [
    '[bad 67] a case twin of root',
    catalogue('vaultPolicy: cap-reports.kv', 'vaultPolicy: Root'),
    'catalogue.yaml',
    'reports.kv › vaultPolicy',
  ],
  [
    'one Vault policy for two',
    catalogue('vaultPolicy: cap-reports.kv', 'vaultPolicy: cap-orders-db.read'),
    'catalogue.yaml',
    'reports.kv › vaultPolicy',
  ],
  ['[bad 19] a ttl of 0', catalogue('maxTtlSeconds: 900', 'maxTtlSeconds: 0'), 'catalogue.yaml', 'orders-db.owner › maxTtlSeconds'],
  ['a ttl of a week', catalogue('maxTtlSeconds: 900', 'maxTtlSeconds: 604800'), 'catalogue.yaml', 'orders-db.owner › maxTtlSeconds'],
  [
    'an SSH certificate of an hour',
    catalogue(/compensation: revoked-serials([^]*?)maxTtlSeconds: 300/, 'compensation: short-life$1maxTtlSeconds: 3600'),
    'catalogue.yaml',
    'bastion.ssh › maxTtlSeconds',
  ],
  [
    'an SSH certificate that claims to be revocable',
    catalogue('shape: expiry-only', 'shape: revocable'),
    'catalogue.yaml',
    'bastion.ssh › shape',
  ],
  ['stored objects that claim to be revocable', catalogue('shape: static', 'shape: revocable'), 'catalogue.yaml', 'reports.kv › shape'],
  [
    'an end that cannot be enforced and nothing said about it',
    catalogue('    compensation: none\n', ''),
    'catalogue.yaml',
    'payload.key › compensation',
  ],
  [
    'a compensation that does nothing here',
    catalogue('compensation: none', 'compensation: taint'),
    'catalogue.yaml',
    'payload.key › compensation',
  ],
  [
    'a compensation where none is needed',
    catalogue('shape: revocable', 'shape: revocable\n    compensation: none'),
    'catalogue.yaml',
    'orders-db.read › compensation',
  ],
  ['a probe of what cannot be probed', catalogue(/probe: false/, 'probe: true'), 'catalogue.yaml', 'reports.kv › probe'],
  [
    'static material minted at the start',
    catalogue(/(engine: kv\n.*\n.*\n {4}mint:) on-fetch/, '$1 on-start'),
    'catalogue.yaml',
    'reports.kv › mint',
  ],
  ['a database without a target', catalogue('    target: orders\n', ''), 'catalogue.yaml', 'orders-db.read › target'],
  ['a certificate without a name', catalogue(/ {4}parameters:\n.*\n/, ''), 'catalogue.yaml', 'service.cert › parameters'],

  [
    '[bad 65] an unknown key of an orchestrator',
    registrations('tenant: default', 'tenant: default\n    audiences: [x]'),
    'registrations.yaml',
    'urn:example:orchestrator',
  ],
  ['[bad 65] an unknown key of a workflow', registrations('maxDurationSeconds', 'maxDuration'), 'registrations.yaml', 'workflows › 0'],
  [
    'an unregistered agent',
    registrations('[spiffe://example.org/agent/etl]', '[spiffe://example.org/agent/x]'),
    'registrations.yaml',
    'not registered',
  ],
  ['an agent of another tenant', registrations(/(agent\/etl:\n {4}tenant:) default/, '$1 other'), 'registrations.yaml', 'another tenant'],
  [
    'an agent twice',
    registrations('[spiffe://example.org/agent/etl]', '[spiffe://example.org/agent/etl, spiffe://example.org/agent/etl]'),
    'registrations.yaml',
    'twice',
  ],
  ['a workflow twice', registrations('name: reporting', 'name: nightly-etl'), 'registrations.yaml', 'twice'],
  [
    'a value whose length cannot be compared',
    registrations('owner: data-platform@example.org', 'owner: { length: { toString: [] } }'),
    'registrations.yaml',
    'wrong type',
  ],
  [
    'an orchestrator that must sign and has no key',
    registrations('signatures: accepted', ''),
    'registrations.yaml',
    'signatures: accepted',
  ],
  ['a misspelt demand for signatures', registrations('signatures: accepted', 'signatures: optional'), 'registrations.yaml', 'signatures'],
  ['[bad 79] an unknown alg of a key', registrations('alg: ES256', 'alg: HS256'), 'registrations.yaml', 'keys › 0'],
  ['a private key', registrations('kid: dev', 'd: AAAA\n        kid: dev'), 'registrations.yaml', 'keys › 0'],
  ['a key that is not on its curve', registrations(/x: t0pt/, 'x: t1pt'), 'registrations.yaml', 'keys › 0'],
  ['a key by reference', registrations(/keys:/, 'jku: https://example.org/keys\n    keys:'), 'registrations.yaml', 'jku'],
  [
    'a quota of a tenant that nobody belongs to',
    registrations(/default:\n {4}quotas/, 'defualt:\n    quotas'),
    'registrations.yaml',
    'defualt',
  ],
  ['a quota of nothing', registrations('liveTasks: 20000', 'liveTasks: 0'), 'registrations.yaml', 'liveTasks'],
  ['a misspelt quota', registrations('liveTasks: 20000', 'livetasks: 20000'), 'registrations.yaml', 'quotas'],
  [
    'half a breaker',
    registrations('maxDurationSeconds: 14400', 'maxDurationSeconds: 14400\n        breaker: { failures: 3 }'),
    'registrations.yaml',
    'breaker',
  ],
  [
    'a misspelt owner of signals',
    registrations(/$/, '\ntransmitters: { "https://i": { tenant: x, keys: [] } }\n'),
    'registrations.yaml',
    'keys',
  ],
  [
    'autonomy beyond 5',
    registrations('maxDurationSeconds: 14400', 'maxDurationSeconds: 14400\n        autonomyTier: 6'),
    'registrations.yaml',
    'autonomyTier',
  ],
  [
    'a ladder that goes up',
    registrations('maxDurationSeconds: 14400', 'maxDurationSeconds: 14400\n        behaviour: { warn: 3, suspend: 3 }'),
    'registrations.yaml',
    'higher than the one before',
  ],
  [
    'a budget of nothing',
    registrations('maxDurationSeconds: 14400', 'maxDurationSeconds: 14400\n        budgets: { rows: 0 }'),
    'registrations.yaml',
    'rows',
  ],
  ['nobody who left', registrations(/$/, '\noffboarded: [""]\n'), 'registrations.yaml', 'offboarded › 0'],
  ['a digest that is none', catalogue(/vaultDigest: \S+/, 'vaultDigest: sha256:0'), 'catalogue.yaml', 'vaultDigest'],
  ['an answer to drift that is none', catalogue('probe: true', 'probe: true\n    onVaultDrift: ignore'), 'catalogue.yaml', 'onVaultDrift'],
  [
    'a tool that says what it writes',
    catalogue('reads: [read]', 'reads: [read]\n    writes: [write]'),
    'catalogue.yaml',
    'tools › sql.query',
  ],
  ['a misspelt status', registrations('status: active', 'status: Active'), 'registrations.yaml', 'status'],

  ['a broken schema', schema('namespace Mayfly {', 'namespace Mayfly'), 'schema.cedarschema', ''],
  ['a schema without a field of the question', schema('    risk: Long,\n', ''), 'schema.cedarschema', 'does not declare'],
  [
    'a schema with a field that nobody fills',
    schema('risk: Long,', 'risk: Long, approvedBy: String,'),
    'schema.cedarschema',
    'does not declare',
  ],

  ['a broken policy', policy('permit (princi'), 'policies/more.cedar', 'unexpected end'],
  ['a policy without id', policy('permit (principal, action, resource);'), 'policies/more.cedar', '@id'],
  [
    'a policy with the id of another',
    policy('@id("etl-reads-orders") permit (principal, action, resource);'),
    'policies/more.cedar',
    'policies/etl.cedar',
  ],
  ['an id with a line feed', policy('@id("a\\nb") permit (principal, action, resource);'), 'policies/more.cedar', '@id'],
  ['a template', policy('@id("t") permit (principal == ?principal, action, resource);'), 'policies/more.cedar', 'templates'],
  [
    'an unknown attribute',
    policy('@id("t") permit (principal, action, resource) when { context.rsik < 1 };'),
    'policies/more.cedar',
    'rsik',
  ],
  [
    'wrong types',
    policy('@id("t") permit (principal, action == Mayfly::Action::"mint", resource) when { context.risk < "1" };'),
    'policies/more.cedar',
    '',
  ],
  [
    'a policy that can never apply',
    policy('@id("t") forbid (principal, action, resource) when { false };'),
    'policies/more.cedar',
    'impossible',
  ],
  [
    'an unknown action',
    policy('@id("t") permit (principal, action == Mayfly::Action::"steal", resource);'),
    'policies/more.cedar',
    'steal',
  ],
];

describe('a policy set', () => {
  test.each(BAD)('is refused with file and key: %s', (_, files, file, key) => {
    const read = (): unknown => readPolicySet(files());
    expect(read).toThrow(InvalidPolicySet);
    expect(read).toThrow(expect.objectContaining({ code: 'invalid-policy-set', file, message: expect.stringContaining(key) }));
  });

  test('has one digest whatever the order of its files, and another one after any change', () => {
    const reversed = Object.fromEntries(Object.entries(example).reverse());
    expect(readPolicySet(reversed).digest).toBe(digestOfFiles(example));
    expect(digestOfFiles({ a: 'bc' })).not.toBe(digestOfFiles({ ab: 'c' }));
    expect(digestOfFiles(edited('policies/etl.cedar', '80', '81'))).not.toBe(digestOfFiles(example));
  });

  test('[bad 79] that trusts a published development key is refused where this is not allowed', () => {
    const set = readPolicySet(example);
    expect(() => refuseDevKeys(set)).toThrow(/signed-orchestrator.*dev-signed-orchestrator is a published development key/);
    const renamed = readPolicySet(edited('registrations.yaml', 'kid: dev-signed-orchestrator', 'kid: ours'));
    expect(() => refuseDevKeys(renamed)).toThrow(InvalidPolicySet);
    expect(() => refuseDevKeys({ ...set, orchestrators: set.orchestrators.filter(({ keys }) => keys.length === 0) })).not.toThrow();
  });

  test('cannot be changed', () => {
    const set = readPolicySet(example);
    expect(() => Object.assign(set.capability('bastion.ssh') ?? {}, { maxTtlSeconds: 1 })).toThrow(TypeError);
    expect(() => Object.assign(set.policies, { x: '' })).toThrow(TypeError);
    expect(() => (set.orchestrators[0]?.workflows as unknown[]).push({})).toThrow(TypeError);
  });

  test('answers nothing for names that every object has', () => {
    const set = readPolicySet(example);
    expect([set.capability('constructor'), set.orchestrator('__proto__'), set.agent('toString')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

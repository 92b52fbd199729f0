import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { POLICY_SIGNATURE_TYPE, readPolicyFiles, readPolicySet, type PolicyFiles } from '@mayfly/policy';
import { policyVoucher } from '@mayfly/service';
import { currentPolicyDigest, CurrentPolicy } from '@mayfly/store';
import { calculateJwkThumbprint, CompactSign, exportJWK } from 'jose';
import { startConsole, type Console } from './world.js';

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ED = generateKeyPairSync('ed25519');
const STRANGER = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let folder: string;
let world: Console;
let example: PolicyFiles;
const kids = new Map<KeyObject, string>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-policy-keys-'));
  example = await readPolicyFiles('deploy/policies/example');
  await trust(EC.publicKey, ED.publicKey);
  world = await startConsole({ vouch: await policyVoucher({ MAYFLY_PROFILE: 'dev', MAYFLY_POLICY_KEYS_FILE: join(folder, 'keys.json') }) });
}, 60_000);
afterAll(async () => {
  await world?.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => trust(EC.publicKey, ED.publicKey));

/** From now on these keys may sign, and no other. */
async function trust(...keys: readonly KeyObject[]): Promise<void> {
  const jwks = await Promise.all(keys.map(jwkOf));
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys: jwks }));
}
async function jwkOf(key: KeyObject) {
  const jwk = await exportJWK(key);
  const kid = kids.get(key) ?? (await calculateJwkThumbprint(jwk));
  kids.set(key, kid);
  return { ...jwk, kid, alg: jwk.crv === 'Ed25519' ? 'EdDSA' : 'ES256', use: 'sig' };
}
const sign = async (
  digest: string,
  pair: { privateKey: KeyObject; publicKey: KeyObject } = EC,
  typ = POLICY_SIGNATURE_TYPE,
  claims: object = {},
) => {
  const { alg, kid } = await jwkOf(pair.publicKey);
  return new CompactSign(Buffer.from(JSON.stringify({ policySet: digest, iat: 1, ...claims })))
    .setProtectedHeader({ alg, kid, typ })
    .sign(pair.privateKey);
};
/** The example, told apart by a comment. */
const set = (name: string) => {
  const files = { ...example, 'policies/more.cedar': `// ${name}\n` };
  return { files, digest: readPolicySet(files).digest };
};
const post = (path: string, body: object, token?: string) => world.call({ method: 'POST', path, body }, token);
const apply = async (name: string, more: object = {}) => {
  const { files, digest } = set(name);
  return post('policies', { files, signature: await sign(digest), ...more });
};
const current = () => currentPolicyDigest(world.database);

describe('a policy set', () => {
  test.each([
    ['ES256', EC],
    ['EdDSA', ED],
  ])('signed by %s is applied, and by whom is kept', async (name, pair) => {
    const { files, digest } = set(name);
    const signature = await sign(digest, pair);
    expect(await post('policies', { files, signature })).toMatchObject({
      status: 200,
      body: { policyDigest: digest, changed: true, signer: kids.get(pair.publicKey) },
    });
    expect((await world.call({ path: 'policies' }, 'viewer')).body['policies'][0]).toMatchObject({
      policyDigest: digest,
      current: true,
      kind: 'applied',
      signer: kids.get(pair.publicKey),
      operator: 'person-admin',
    });
  });

  test.each<[string, (digest: string) => Promise<string | undefined>]>([
    ['without a signature', async () => undefined],
    ['signed by a stranger', (digest) => sign(digest, STRANGER)],
    ['with the signature of another set', () => sign(set('another').digest)],
    ['with a signature of another type', (digest) => sign(digest, EC, 'mayfly-event+jws')],
    ['with a statement that says more', (digest) => sign(digest, EC, POLICY_SIGNATURE_TYPE, { also: 'this' })],
    ['with a signature that was changed', async (digest) => (await sign(digest)).replace(/.{4}$/, 'AAAA')],
    [
      'signed in the name of a known key',
      async (digest) => {
        const { kid } = await jwkOf(EC.publicKey);
        return new CompactSign(Buffer.from(JSON.stringify({ policySet: digest, iat: 1 })))
          .setProtectedHeader({ alg: 'ES256', kid, typ: POLICY_SIGNATURE_TYPE })
          .sign(STRANGER.privateKey);
      },
    ],
  ])('%s is refused, and nothing changes', async (name, signed) => {
    const before = await current();
    const { files, digest } = set(`refused ${name}`);
    const signature = await signed(digest);
    expect(await post('policies', { files, ...(signature && { signature }) })).toMatchObject({
      status: 403,
      body: { code: 'policy-signature-refused' },
    });
    expect(await current()).toBe(before);
  });

  test('is used only while a key that signed it is trusted: taking the key away takes the set away', async () => {
    const { files, digest } = set('lost key');
    await post('policies', { files, signature: await sign(digest, ED) });
    const vouch = await policyVoucher({ MAYFLY_PROFILE: 'production', MAYFLY_POLICY_KEYS_FILE: join(folder, 'keys.json') });
    const reader = () => new CurrentPolicy(readPolicySet, vouch).get(world.database);
    expect((await reader()).digest).toBe(digest);
    await trust(EC.publicKey);
    await expect(reader()).rejects.toMatchObject({ code: 'policy-unavailable', cause: { code: 'policy-signature-refused' } });
    // Signed again by a key that is trusted.
    expect(await post('policies', { files, signature: await sign(digest, EC) })).toMatchObject({ status: 200, body: { changed: true } });
    expect((await reader()).digest).toBe(digest);
  });

  test('needs keys in production; without keys the dev profile takes unsigned ones', async () => {
    await expect(policyVoucher({ MAYFLY_PROFILE: 'production' })).rejects.toMatchObject({ code: 'bad-config' });
    const unsigned = { digest: set('x').digest };
    expect(await (await policyVoucher({ MAYFLY_PROFILE: 'dev' }))(unsigned)).toBeUndefined();
    const file = { MAYFLY_POLICY_KEYS_FILE: join(folder, 'keys.json') };
    await expect((await policyVoucher({ MAYFLY_PROFILE: 'dev', ...file }))(unsigned)).rejects.toMatchObject({
      code: 'policy-signature-refused',
    });
    const lax = await policyVoucher({ MAYFLY_PROFILE: 'dev', MAYFLY_POLICY_SIGNATURES: 'accepted', ...file });
    expect(await lax(unsigned)).toBeUndefined();
    await expect(lax({ ...unsigned, signature: await sign(unsigned.digest, STRANGER) })).rejects.toMatchObject({
      code: 'policy-signature-refused',
    });
    await expect(lax({ ...unsigned, signature: 'a.b.c' })).rejects.toMatchObject({ code: 'policy-signature-refused' });
    const strict = await policyVoucher({ MAYFLY_PROFILE: 'production', MAYFLY_POLICY_SIGNATURES: 'accepted', ...file });
    await expect(strict(unsigned)).rejects.toMatchObject({ code: 'policy-signature-refused' });
  });
});

describe('applying', () => {
  test('against another set than the one that was planned for changes nothing', async () => {
    await apply('first');
    const planned = await current();
    expect((await apply('second', { expected: planned })).body).toMatchObject({ changed: true, previous: planned });
    const now = await current();
    expect(await apply('third', { expected: planned })).toMatchObject({ status: 409, body: { code: 'policy-changed' } });
    expect(await apply('third', { expected: null })).toMatchObject({ status: 409 });
    expect(await current()).toBe(now);
  });

  test.each([
    ['files were', `files = jsonb_set(files, '{policies/more.cedar}', '"permit (principal, action, resource);"')`, 'policy-set-altered'],
    ['signature was', `signature = 'a.b.c'`, 'policy-signature-refused'],
    ['signature was taken away, and its files were', `files = files - 'policies/more.cedar', signature = null`, 'policy-set-altered'],
  ])('a set whose stored %s altered is mended by applying it again, current or not', async (_, altered, code) => {
    const vouch = await policyVoucher({ MAYFLY_PROFILE: 'production', MAYFLY_POLICY_KEYS_FILE: join(folder, 'keys.json') });
    const policies = new CurrentPolicy(readPolicySet, vouch);
    const { digest, files } = set('altered');
    const body = { files, signature: await sign(digest) };
    const alter = () => world.database.run('', `update policy.set set ${altered} where digest = $1`, [digest]);
    await post('policies', body);
    expect((await policies.get(world.database)).digest).toBe(digest);

    await alter();
    await expect(policies.get(world.database)).rejects.toMatchObject({ message: expect.stringContaining(`(${code})`), cause: { code } });
    expect(await post('policies', body)).toMatchObject({ status: 200, body: { changed: true, previous: digest } });
    expect((await policies.get(world.database)).digest).toBe(digest);
    expect((await post('policies', body)).body).toMatchObject({ changed: false });

    await apply('another');
    await alter();
    expect((await post('policies', body)).body).toMatchObject({ changed: true });
    expect((await policies.get(world.database)).digest).toBe(digest);
  });

  test('two at once: both are kept, one after the other, and of two that expect the same set one is refused', async () => {
    await apply('start');
    const expected = (await current())!;
    const answers = await Promise.all([apply('left'), apply('right')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const previous = answers.map(({ body }) => body['previous'] as string);
    expect(previous).toContain(expected);
    expect(new Set(previous).size).toBe(2);
    const planned = (await current())!;
    const raced = await Promise.all([apply('left again', { expected: planned }), apply('right again', { expected: planned })]);
    expect(raced.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});

describe('going back', () => {
  test('is one call, a change like any other, with its evidence and its event', async () => {
    await apply('good');
    const good = await current();
    await apply('bad');
    const bad = await current();
    expect(await post('policies/rollback', { reason: 'denies the load' })).toMatchObject({
      status: 200,
      body: { policyDigest: good, previous: bad, changed: true },
    });
    expect(await current()).toBe(good);
    const { policies } = (await world.call({ path: 'policies?limit=1' })).body;
    expect(policies).toEqual([
      expect.objectContaining({ policyDigest: good, kind: 'rolled_back', reason: 'denies the load', previous: bad }),
    ]);
    const [fact] = await world.database.run<{ data: object }>(
      '',
      `select fact -> 'data' as data from evidence.intake where fact ->> 'kind' = 'dev.mayfly.evidence.policy-rolled-back.v1' order by id desc limit 1`,
    );
    expect(fact?.data).toMatchObject({ policyDigest: good, previous: bad, operator: 'person-admin', reason: 'denies the load' });
    const [event] = await world.database.run<{ data: object }>(
      '',
      `select event -> 'data' as data from ledger.outbox where event ->> 'topic' = 'signals' order by id desc limit 1`,
    );
    expect(event?.data).toMatchObject({ policyDigest: good, change: 'rolled_back' });
    expect((await post('policies/rollback', { policyDigest: bad, reason: 'on purpose' })).body).toMatchObject({
      policyDigest: bad,
      changed: true,
    });
    expect((await post('policies/rollback', { policyDigest: bad, reason: 'again' })).body).toMatchObject({ changed: false });
  });

  test('knows what is really in force, also when it came to be past the console', async () => {
    await apply('by the console');
    const ours = (await current())!;
    await apply('newest');
    const newest = (await current())!;
    await world.database.run('', 'update policy.current set digest = $1', [ours]);
    const { body } = await world.call({ path: 'policies?limit=2' });
    expect(body).toMatchObject({ current: ours, policies: [{ policyDigest: newest, current: false }, { current: false }] });
    await world.database.run('', 'update policy.current set digest = $1', [newest]);
    expect((await world.call({ path: 'policies?limit=1' })).body).toMatchObject({ current: newest, policies: [{ current: true }] });
  });

  test('to what was never applied, was changed since, or is not vouched for any more, is refused', async () => {
    const unknown = `sha256:${'0'.repeat(64)}`;
    expect(await post('policies/rollback', { policyDigest: unknown, reason: 'r' })).toMatchObject({
      status: 404,
      body: { code: 'unknown-policy-set' },
    });
    const { files, digest } = set('by ed');
    await post('policies', { files, signature: await sign(digest, ED) });
    await apply('now');
    const now = await current();
    await trust(EC.publicKey);
    expect(await post('policies/rollback', { reason: 'r' })).toMatchObject({ status: 403, body: { code: 'policy-signature-refused' } });
    await trust(EC.publicKey, ED.publicKey);
    await world.database.run(
      '',
      `update policy.set set files = jsonb_set(files, '{policies/more.cedar}', '"// theirs"') where digest = $1`,
      [digest],
    );
    expect((await post('policies/rollback', { policyDigest: digest, reason: 'r' })).status).toBe(403);
    expect(await current()).toBe(now);
  });

  test.each(['viewer', 'approver', 'operator'])('is nothing for a %s', async (role) => {
    expect(await post('policies/rollback', { reason: 'r' }, role)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });
});

/** Vault says yes, but not to what was asked: nothing of it may stay alive. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newGrantId, newLeaseRef, Secret, taskId } from '@mayfly/domain';
import { vaultForIssuer } from '../src/index.js';
import { CATALOGUE } from './catalogue.js';
import { stubServer, type Reply, type StubServer } from './stub-server.js';

let server: StubServer;
let folder: string;
/** What the stub answers, by path; anything else is 204. */
let replies: Record<string, Reply>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-unclean-'));
  writeFileSync(join(folder, 'jwt'), 'jwt');
  replies = { '/v1/auth/jwt/login': { status: 200, body: { auth: { client_token: 'service', lease_duration: 1200 } } } };
  server = await stubServer(({ path }) => replies[path] ?? { status: 204 });
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const vault = () => vaultForIssuer({ address: server.address, jwtFile: join(folder, 'jwt'), role: 'mayfly-issuer' });
const asked = (path: string) => server.asked.filter((one) => one.path === path);

describe('a task token', () => {
  const clean = {
    client_token: 'task',
    accessor: 'accessor',
    policies: ['cap-orders-db.read', 'cap-task'],
    lease_duration: 60,
    renewable: false,
    token_type: 'service',
    orphan: true,
  };
  const create = (auth: object | null, warnings: string[] | null = null, parent?: Secret<string>, beside: object = {}) => {
    replies['/v1/auth/token/create/mayfly-task'] = replies['/v1/auth/token/create'] = { status: 200, body: { auth, warnings, ...beside } };
    const request = { grantId: newGrantId(), taskId: taskId('t'), tenant: 'default', policies: ['cap-orders-db.read'], ttlSeconds: 60 };
    return vault().create({ ...request, ...(parent && { parent }) });
  };
  const sealed = (...ciphertexts: string[]): Reply => ({
    status: 200,
    body: { data: { batch_results: ciphertexts.map((ciphertext) => ({ ciphertext })) } },
  });
  const sealing = sealed('vault:v1:sealed');

  it('is asked for with everything that bounds it', async () => {
    replies['/v1/transit/encrypt/mayfly-task-token'] = sealing;
    expect(await create(clean)).toMatchObject({ accessor: 'accessor', sealed: 'vault:v1:sealed' });
    expect(asked('/v1/auth/token/create/mayfly-task')[0]!.body).toMatchObject({
      policies: ['cap-orders-db.read', 'cap-task'],
      ttl: '60s',
      explicit_max_ttl: '60s',
      renewable: false,
      no_default_policy: true,
      type: 'service',
      meta: { taskId: 't', tenant: 'default' },
    });
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    expect(asked('/v1/transit/encrypt/mayfly-task-token').map(({ body }) => body)).toEqual([
      { batch_input: [{ plaintext: base64('task'), context: base64('t') }] },
    ]);
  });

  it.each([
    ['a warning', clean, ['Policy "cap-x" does not exist']],
    ['one policy more', { ...clean, policies: [...clean.policies, 'default'] }, null],
    ['one policy less', { ...clean, policies: ['cap-task'] }, null],
    ['another life', { ...clean, lease_duration: 30 }, null],
    ['a renewable one', { ...clean, renewable: true }, null],
    ['a batch token', { ...clean, token_type: 'batch' }, null],
    ['a child', { ...clean, orphan: false }, null],
    ['no accessor', { ...clean, accessor: '' }, null],
  ])('that came with %s is refused and revoked at once', async (_, auth, warnings) => {
    replies['/v1/transit/encrypt/mayfly-task-token'] = sealing;
    await expect(create(auth, warnings)).rejects.toMatchObject({ code: 'mint-refused' });
    expect(asked('/v1/auth/token/revoke-self').map(({ headers }) => headers['x-vault-token'])).toEqual(['task']);
  });

  it.each([
    ['no auth at all', null, {}, 'vault-unavailable'],
    ['no auth, but data', null, { data: { client_token: 'task' } }, 'vault-unavailable'],
    ['a wrapping instead', null, { wrap_info: { token: 'wrapping', wrapped_accessor: 'accessor' } }, 'mint-refused'],
    ['errors instead', null, { errors: ['1 error occurred'] }, 'mint-refused'],
  ])('[bad 69] that came with %s is a failure, and nothing of it is used', async (_, auth, beside, code) => {
    replies['/v1/transit/encrypt/mayfly-task-token'] = sealing;
    await expect(create(auth, null, undefined, beside)).rejects.toMatchObject({ code });
    expect(asked('/v1/transit/encrypt/mayfly-task-token')).toEqual([]);
  });

  it.each([
    ['errors beside it', clean, { errors: ['1 error occurred'] }],
    ['a wrapping beside it', clean, { wrap_info: { token: 'wrapping' } }],
    ['a life of 0', { ...clean, lease_duration: 0 }, {}],
    ['a longer life', { ...clean, lease_duration: 3600 }, {}],
  ])('[bad 69] that came with %s is refused and revoked at once', async (_, auth, beside) => {
    replies['/v1/transit/encrypt/mayfly-task-token'] = sealing;
    await expect(create(auth, null, undefined, beside)).rejects.toMatchObject({ code: 'mint-refused' });
    expect(asked('/v1/auth/token/revoke-self').map(({ headers }) => headers['x-vault-token'])).toEqual(['task']);
  });

  it('that is shorter by the seconds that Vault took is revoked, and asked for again', async () => {
    replies['/v1/transit/encrypt/mayfly-task-token'] = sealing;
    await expect(create({ ...clean, lease_duration: 59 }, ['TTL exceeded'])).rejects.toMatchObject({ code: 'vault-unavailable' });
    expect(asked('/v1/auth/token/revoke-self').map(({ headers }) => headers['x-vault-token'])).toEqual(['task']);
  });

  it('of a sub-task that is no child is refused and revoked at once', async () => {
    await expect(create(clean, null, new Secret('parent'))).rejects.toMatchObject({ code: 'mint-refused' });
    expect(asked('/v1/auth/token/create')[0]!.headers['x-vault-token']).toBe('parent');
    expect(asked('/v1/auth/token/revoke-self')).toHaveLength(1);
  });

  it.each([
    [{ status: 503 }, 'vault-unavailable'],
    [{ status: 403 }, 'mint-refused'],
    [{ status: 204 }, 'mint-refused'],
    [sealed(''), 'mint-refused'],
    [sealed('vault:v1:one', 'vault:v1:another'), 'mint-refused'],
  ] as [Reply, string][])('that cannot be sealed (%j) is revoked at once', async (reply, code) => {
    replies['/v1/transit/encrypt/mayfly-task-token'] = reply;
    await expect(create(clean)).rejects.toMatchObject({ code });
    expect(asked('/v1/auth/token/revoke-self')).toHaveLength(1);
  });
});

describe('a credential', () => {
  const minting = (body: object) => {
    replies['/v1/database/creds/orders-read'] = { status: 200, body };
    return vault().mint({ leaseRef: newLeaseRef(), capability: CATALOGUE.read, ttlSeconds: 300, token: new Secret('task') });
  };
  const clean = { lease_id: 'database/creds/orders-read/1', lease_duration: 300, data: { username: 'u', password: 'p' }, warnings: null };

  it('needs no renewal when its life is as wanted', async () => {
    expect(await minting(clean)).toMatchObject({ vaultLeaseId: clean.lease_id, principal: 'u' });
    expect(server.asked).toHaveLength(1);
  });

  it.each([
    ['a warning', { ...clean, warnings: ['capped'] }],
    ['no password', { ...clean, data: { username: 'u' } }],
    ['an empty user', { ...clean, data: { username: '', password: 'p' } }],
    ['nothing but a lease', { ...clean, data: null }],
    ['[bad 69] errors beside it', { ...clean, errors: ['1 error occurred'] }],
    ['[bad 69] a wrapping beside it', { ...clean, wrap_info: { token: 'wrapping' } }],
    ['[bad 69] a life of 0', { ...clean, lease_duration: 0 }],
    ['[bad 69] a life below 0', { ...clean, lease_duration: -1 }],
  ])('that came with %s is refused and its lease revoked at once', async (_, body) => {
    await expect(minting(body)).rejects.toMatchObject({ code: 'mint-refused' });
    expect(asked('/v1/sys/leases/revoke').map((one) => one.body)).toEqual([{ lease_id: clean.lease_id, sync: true }]);
    expect(asked('/v1/sys/leases/revoke')[0]!.headers['x-vault-token']).toBe('task');
  });

  it.each([
    [{ status: 200, body: { lease_duration: 900, warnings: null } }, 'mint-refused'],
    [{ status: 200, body: { lease_duration: 300, warnings: ['capped'] } }, 'mint-refused'],
    [{ status: 400 }, 'mint-refused'],
    [{ status: 500 }, 'vault-unavailable'],
  ] as [Reply, string][])('whose life cannot be fitted (%j) is revoked at once', async (reply, code) => {
    replies['/v1/sys/leases/renew'] = reply;
    await expect(minting({ ...clean, lease_duration: 900 })).rejects.toMatchObject({ code });
    expect(asked('/v1/sys/leases/revoke')).toHaveLength(1);
  });

  it('without the lease that it should have is refused', async () => {
    await expect(minting({ ...clean, lease_id: '' })).rejects.toMatchObject({ code: 'mint-refused' });
  });
});

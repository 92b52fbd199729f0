import { X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { REPORTER, REPORTING, until, World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

const vault = async (path: string) => {
  const answer = await fetch(`${world.dev.vault.address}/v1/${path}`);
  return { status: answer.status, body: (await answer.json()) as any };
};

describe('what each engine gives, and what its end may be called', () => {
  test('a certificate works, and is on the revocation list once its task ended', async () => {
    const taskId = await world.start('service.cert');
    const { data, leaseRef } = await world.agent().secret(taskId, 'service', { waitSeconds: 15 });
    expect(Object.keys(data).sort()).toEqual(['caChain', 'certificate', 'privateKey', 'serialNumber']);
    const certificate = new X509Certificate(String(data['certificate']));
    const ca = (await vault('pki/cert/ca')).body.data.certificate as string;
    expect(certificate.verify(new X509Certificate(ca).publicKey)).toBe(true);
    const serial = String(data['serialNumber']);
    expect((await vault(`pki/cert/${serial}`)).body.data.revocation_time).toBe(0);
    await world.end(taskId);
    const revoked = await world.event(taskId, 'credential.revoked');
    expect(revoked.data).toMatchObject({ leaseRef, shape: 'revocable', proof: { target: 'serial number is on the revocation list' } });
    expect((await vault(`pki/cert/${serial}`)).body.data.revocation_time).toBeGreaterThan(0);
  });

  test('an SSH certificate is never called revoked: its end is the end of its short validity', async () => {
    const taskId = await world.start([{ name: 'bastion', capability: 'bastion.ssh', ttlSeconds: 5 }]);
    const { data, expiresAt, leaseRef } = await world.agent().secret(taskId, 'bastion', { waitSeconds: 15 });
    expect(Object.keys(data).sort()).toEqual(['privateKey', 'serialNumber', 'signedKey']);
    const folder = mkdtempSync(join(tmpdir(), 'mayfly-ssh-'));
    try {
      writeFileSync(join(folder, 'id-cert.pub'), String(data['signedKey']));
      const shown = execFileSync('ssh-keygen', ['-L', '-f', join(folder, 'id-cert.pub')], { encoding: 'utf8' });
      expect(shown).toMatch(/user certificate/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    await world.end(taskId);
    const closed = await world.event(taskId, 'grant.closed', () => true, 30);
    expect(closed.data['credentials'][0]).toMatchObject({ shape: 'expiry-only', leases: [{ leaseRef, ended: 'expired' }] });
    // Closed is only said once its validity is over.
    expect(new Date(closed.data['at']).getTime()).toBeGreaterThanOrEqual(new Date(expiresAt!).getTime());
    expect(world.eventsOf(taskId, 'credential.revoked')).toEqual([]);
  }, 60_000);

  test('stored reports are static: the way to them is closed, and nothing more is claimed', async () => {
    const taskId = await world.start('reports.kv', { data: REPORTING });
    const { data } = await world.agent(REPORTER).secret(taskId, 'reports', { waitSeconds: 15 });
    expect(Object.keys(data).length).toBeGreaterThan(0);
    await world.end(taskId);
    const closed = await world.event(taskId, 'grant.closed');
    expect(closed.data['credentials'][0]).toMatchObject({ shape: 'static', leases: [{ ended: 'access_ended' }] });
    expect(world.eventsOf(taskId, 'credential.revoked')).toEqual([]);
    expect(await world.ask(`/v1/tasks/${taskId}/secrets/reports`, { agent: REPORTER })).toMatchObject({ status: 410 });
  });

  test('a data key comes in plain and wrapped, and is static too', async () => {
    const taskId = await world.start('payload.key');
    const { data } = await world.agent().secret(taskId, 'payload', { waitSeconds: 15 });
    expect(Object.keys(data).sort()).toEqual(['ciphertext', 'plaintext']);
    expect(Buffer.from(String(data['plaintext']), 'base64')).toHaveLength(32);
    await world.end(taskId);
    const closed = await world.event(taskId, 'grant.closed');
    expect(closed.data['credentials'][0]).toMatchObject({ shape: 'static', leases: [{ ended: 'access_ended' }] });
    expect(world.eventsOf(taskId, 'credential.revoked')).toEqual([]);
  });
});

describe('fetching again', () => {
  test('never leaves two live copies: the earlier one is proven dead before the next exists', async () => {
    const taskId = await world.start('orders-db.read');
    const first = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    const second = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    expect(second.leaseRef).not.toBe(first.leaseRef);
    expect(await world.isRefused(first.data)).toBe(true);
    expect(await world.isRefused(second.data)).toBe(false);
    expect((await world.event(taskId, 'credential.revoked')).data).toMatchObject({ cause: 'superseded', leaseRef: first.leaseRef });
    await world.end(taskId);
    await world.event(taskId, 'grant.closed');
    expect(await world.isRefused(second.data)).toBe(true);
  });

  test('many at once leave one live copy', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    const answers = await Promise.all(Array.from({ length: 4 }, () => world.ask(`/v1/tasks/${taskId}/secrets/orders-db?wait=20s`)));
    const given = answers.filter(({ status }) => status === 200).map(({ body }) => body.data);
    expect(given.length).toBeGreaterThan(0);
    const refused = await until('one copy is left', async () => {
      const states = await Promise.all(given.map((data) => world.isRefused(data)));
      return states.filter((dead) => !dead).length <= 1 ? states : undefined;
    });
    expect(refused.filter((dead) => !dead)).toHaveLength(1);
    await world.end(taskId);
  }, 60_000);

  test('ends at the capability’s limit', async () => {
    const taskId = await world.start('payload.key');
    let last: Awaited<ReturnType<World['ask']>>;
    let fetched = 0;
    await world.event(taskId, 'grant.issued');
    do {
      last = await world.ask(`/v1/tasks/${taskId}/secrets/payload?wait=10s`);
      if (last.status === 200) fetched += 1;
    } while (last.status === 200 && fetched < 100);
    expect(last).toMatchObject({ status: 429, body: { code: 'fetch-limit' } });
    expect(fetched).toBeGreaterThan(1);
    await world.end(taskId);
  });
});

describe('giving back', () => {
  test('by name: that credential dies, the others go on', async () => {
    const taskId = await world.start(['orders-db.read', 'service.cert']);
    const orders = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    await world.agent().secret(taskId, 'service', { waitSeconds: 15 });
    await world.agent().release(taskId, ['orders-db']);
    expect((await world.event(taskId, 'credential.revoked')).data).toMatchObject({ cause: 'agent_release', credential: 'orders-db' });
    expect(await world.isRefused(orders.data)).toBe(true);
    expect((await world.agent().task(taskId)).credentials).toMatchObject([{ state: 'revoked' }, { state: 'active' }]);
    await world.end(taskId);
  });

  test('all at once closes the task', async () => {
    const taskId = await world.start('orders-db.read');
    const orders = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    await world.agent().release(taskId);
    expect((await world.event(taskId, 'grant.closed')).data).toMatchObject({ reason: 'agent_release' });
    expect(await world.isRefused(orders.data)).toBe(true);
  });
});

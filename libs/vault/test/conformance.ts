/**
 * What every implementation of the ports of minting and killing keeps. Runs on the fake and on a real OpenBao.
 */
import { expect, it } from '@jest/globals';
import { newGrantId, newLeaseRef, taskId, type Capability, type Secret } from '@mayfly/domain';
import type { SecretIssuer, TaskToken, TaskTokenIssuer, TaskTokenOpener } from '@mayfly/grant';
import type { SecretRevoker } from '@mayfly/revocation';
import { CATALOGUE } from './catalogue.js';

/** The ports under test. */
export interface Ports {
  readonly vault: TaskTokenIssuer & TaskTokenOpener & SecretIssuer;
  readonly revoker: SecretRevoker;
}

let tasks = 0;
/** A task token for these capabilities. */
export function tokenFor(
  { vault }: Pick<Ports, 'vault'>,
  capabilities: readonly Capability[],
  more: { parent?: Secret<string>; ttlSeconds?: number; id?: string } = {},
): Promise<TaskToken> {
  tasks += 1;
  const { parent, ttlSeconds = 600, id = `conformance:task.${tasks}` } = more;
  const policies = capabilities.map(({ vaultPolicy }) => vaultPolicy);
  return vault.create({ grantId: newGrantId(), taskId: taskId(id), tenant: 'default', policies, ttlSeconds, ...(parent && { parent }) });
}

/** Mints one credential. */
export const mint = ({ vault }: Pick<Ports, 'vault'>, { token }: Pick<TaskToken, 'token'>, capability: Capability, ttlSeconds = 300) =>
  vault.mint({ leaseRef: newLeaseRef(), capability, ttlSeconds, token });

const code = (expected: string) => expect.objectContaining({ code: expected });

const SHAPES: [Capability, string[]][] = [
  [CATALOGUE.read, ['password', 'username']],
  [CATALOGUE.certificate, ['caChain', 'certificate', 'privateKey', 'serialNumber']],
  [CATALOGUE.bastion, ['privateKey', 'serialNumber', 'signedKey']],
  [CATALOGUE.payload, ['ciphertext', 'plaintext']],
];

/** Declares the suite inside the caller's `describe`. */
export function keepsThePromises(ports: () => Ports): void {
  it.each(SHAPES)('gives $name in the shape that the contract promises', async (capability, fields) => {
    const minted = await mint(ports(), await tokenFor(ports(), [capability]), capability);
    expect(Object.keys(minted.material.reveal()).sort()).toEqual(fields);
    expect(minted.vaultLeaseId !== undefined).toBe(capability.shape === 'revocable');
    expect(minted.expiresAt !== undefined).toBe(capability.shape !== 'static');
    expect(minted.principal !== undefined).toBe(capability.shape !== 'static');
  });

  it('ends what it mints when it was asked to, give or take a few seconds', async () => {
    for (const capability of [CATALOGUE.read, CATALOGUE.certificate, CATALOGUE.bastion]) {
      const minted = await mint(ports(), await tokenFor(ports(), [capability]), capability, 120);
      expect(Math.abs(minted.expiresAt!.getTime() - Date.now() - 120_000)).toBeLessThan(5_000);
    }
  });

  it('names the grant in the principal of a database user', async () => {
    const grantId = newGrantId();
    const token = await ports().vault.create({
      grantId,
      taskId: taskId('named'),
      tenant: 'default',
      policies: [CATALOGUE.read.vaultPolicy],
      ttlSeconds: 600,
    });
    expect((await mint(ports(), token, CATALOGUE.read)).principal).toContain(grantId);
  });

  it('mints only what the policies of the token permit', async () => {
    const token = await tokenFor(ports(), [CATALOGUE.read]);
    await expect(mint(ports(), token, CATALOGUE.write)).rejects.toEqual(code('mint-refused'));
  });

  it('creates no token with a policy that does not exist or is no capability', async () => {
    for (const policy of ['cap-nothing', 'mayfly-revoker', 'provisioner', 'default', 'root']) {
      await expect(tokenFor(ports(), [{ ...CATALOGUE.read, vaultPolicy: policy }])).rejects.toEqual(code('mint-refused'));
    }
  });

  it('gives a child token only what its parent has', async () => {
    const parent = await tokenFor(ports(), [CATALOGUE.read, CATALOGUE.payload]);
    const child = await tokenFor(ports(), [CATALOGUE.read], { parent: parent.token });
    await expect(mint(ports(), child, CATALOGUE.read)).resolves.toBeDefined();
    await expect(mint(ports(), child, CATALOGUE.payload)).rejects.toEqual(code('mint-refused'));
    await expect(tokenFor(ports(), [CATALOGUE.write], { parent: child.token })).rejects.toEqual(code('mint-refused'));
    await expect(tokenFor(ports(), [CATALOGUE.payload], { parent: child.token })).rejects.toEqual(code('mint-refused'));
  });

  it('opens a sealed token for its own task only', async () => {
    const token = await tokenFor(ports(), [CATALOGUE.read], { id: 'sealed-1' });
    expect((await ports().vault.open(token.sealed, taskId('sealed-1'))).reveal()).toBe(token.token.reveal());
    await expect(ports().vault.open(token.sealed, taskId('sealed-2'))).rejects.toEqual(code('seal-broken'));
    await expect(ports().vault.open(`${token.sealed.slice(0, -6)}AAAAAA`, taskId('sealed-1'))).rejects.toEqual(code('seal-broken'));
    // Those that come at the same moment may share a call; each is opened or refused alone.
    const opened = await Promise.allSettled([
      ports().vault.open(token.sealed, taskId('sealed-1')),
      ports().vault.open(token.sealed, taskId('sealed-2')),
      ports().vault.open(`${token.sealed.slice(0, -6)}AAAAAA`, taskId('sealed-1')),
      ports().vault.open('not sealed', taskId('sealed-1')),
      ports().vault.open(token.sealed, taskId('sealed-1')),
    ]);
    expect(opened.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : each.value.reveal()))).toEqual([
      token.token.reveal(),
      'seal-broken',
      'seal-broken',
      'seal-broken',
      token.token.reveal(),
    ]);
  });

  it('keeps material for its token only, and lets it be taken once', async () => {
    const [mine, others] = [await tokenFor(ports(), [CATALOGUE.read]), await tokenFor(ports(), [CATALOGUE.read])];
    const { material } = await mint(ports(), mine, CATALOGUE.read);
    const leaseRef = newLeaseRef();
    await ports().vault.keep(mine.token, leaseRef, material);
    expect(await ports().vault.take(others.token, leaseRef)).toBeUndefined();
    expect((await ports().vault.take(mine.token, leaseRef))?.reveal()).toEqual(material.reveal());
    expect(await ports().vault.take(mine.token, leaseRef)).toBeUndefined();
  });

  it('copies what is kept to another token; what is not there is no error', async () => {
    const [first, second] = [await tokenFor(ports(), [CATALOGUE.read]), await tokenFor(ports(), [])];
    const { material } = await mint(ports(), first, CATALOGUE.read);
    const leaseRef = newLeaseRef();
    await ports().vault.copy(first.token, second.token, leaseRef);
    expect(await ports().vault.take(second.token, leaseRef)).toBeUndefined();
    await ports().vault.keep(first.token, leaseRef, material);
    await ports().vault.copy(first.token, second.token, leaseRef);
    for (const { token } of [first, second]) expect((await ports().vault.take(token, leaseRef))?.reveal()).toEqual(material.reveal());
  });

  it('lets a smaller token take the place of another: what was lost cannot be minted, what was minted lives on until the first one ends', async () => {
    const id = 'conformance:narrowed';
    const first = await tokenFor(ports(), [CATALOGUE.read, CATALOGUE.certificate], { id });
    const kept = await mint(ports(), first, CATALOGUE.read);
    const child = await tokenFor(ports(), [CATALOGUE.read], { parent: first.token });
    const second = await tokenFor(ports(), [CATALOGUE.read], { id });
    await expect(mint(ports(), second, CATALOGUE.certificate)).rejects.toEqual(code('mint-refused'));
    const fresh = await mint(ports(), second, CATALOGUE.read);
    for (const { vaultLeaseId } of [kept, fresh]) expect(await ports().revoker.isLeaseGone(vaultLeaseId!)).toBe(false);

    await ports().revoker.revokeLease(kept.vaultLeaseId!);
    await ports().revoker.revokeToken(first.accessor);
    for (const { accessor } of [first, child]) expect(await ports().revoker.isTokenGone(accessor)).toBe(true);
    expect(await ports().revoker.isTokenGone(second.accessor)).toBe(false);
    expect(await ports().revoker.isLeaseGone(fresh.vaultLeaseId!)).toBe(false);
    // The sealed copy of one token opens that one only.
    expect((await ports().vault.open(second.sealed, taskId(id))).reveal()).toBe(second.token.reveal());
  });

  it('ends a copy or a token that must not exist', async () => {
    const task = await tokenFor(ports(), [CATALOGUE.read]);
    const minted = await mint(ports(), task, CATALOGUE.read);
    await ports().vault.discard(task.token, minted);
    expect(await ports().revoker.isLeaseGone(minted.vaultLeaseId!)).toBe(true);
    expect(await ports().revoker.isTokenGone(task.accessor)).toBe(false);
    await ports().vault.discardToken(task.token);
    expect(await ports().revoker.isTokenGone(task.accessor)).toBe(true);
    await ports().vault.discardToken(task.token);
  });

  it('revokes a lease so that it is gone, as often as it is asked', async () => {
    const { vaultLeaseId } = await mint(ports(), await tokenFor(ports(), [CATALOGUE.read]), CATALOGUE.read);
    expect(await ports().revoker.isLeaseGone(vaultLeaseId!)).toBe(false);
    await ports().revoker.revokeLease(vaultLeaseId!);
    await ports().revoker.revokeLease(vaultLeaseId!);
    expect(await ports().revoker.isLeaseGone(vaultLeaseId!)).toBe(true);
  });

  it('revokes a token so that it is gone and can do nothing, as often as it is asked', async () => {
    const { accessor, token } = await tokenFor(ports(), [CATALOGUE.read]);
    expect(await ports().revoker.isTokenGone(accessor)).toBe(false);
    await ports().revoker.revokeToken(accessor);
    await ports().revoker.revokeToken(accessor);
    expect(await ports().revoker.isTokenGone(accessor)).toBe(true);
    await expect(mint(ports(), { token }, CATALOGUE.read)).rejects.toEqual(code('mint-refused'));
  });

  it('ends the tokens of sub-tasks with their parent', async () => {
    const parent = await tokenFor(ports(), [CATALOGUE.read]);
    const child = await tokenFor(ports(), [CATALOGUE.read], { parent: parent.token });
    const grandchild = await tokenFor(ports(), [CATALOGUE.read], { parent: child.token });
    await ports().revoker.revokeToken(parent.accessor);
    expect(await ports().revoker.isTokenGone(child.accessor)).toBe(true);
    expect(await ports().revoker.isTokenGone(grandchild.accessor)).toBe(true);
  });

  it('says that a certificate is revoked only once it is', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.certificate]), CATALOGUE.certificate);
    expect(await ports().revoker.isCertificateRevoked('pki', minted.principal!)).toBe(false);
    await ports().revoker.revokeLease(minted.vaultLeaseId!);
    expect(await ports().revoker.isCertificateRevoked('pki', minted.principal!)).toBe(true);
    expect(await ports().revoker.isCertificateRevoked('pki', '11:22:33:44')).toBe(false);
  });
}

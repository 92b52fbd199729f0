/** Certificates, SSH certificates, data keys and stored objects: what works, and what "revoked" can mean for each. */
import { X509Certificate } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { CATALOGUE } from '../catalogue.js';
import { mint, tokenFor, type Ports } from '../conformance.js';
import { raw, type Servers } from '../servers.js';

export function certificatesDie(ports: () => Ports, servers: () => Servers): void {
  const revocationList = async (): Promise<Buffer> => Buffer.from(await (await fetch(`${servers().address}/v1/pki/crl`)).arrayBuffer());

  it('issues a certificate that its chain verifies, and lists it once revoked', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.certificate]), CATALOGUE.certificate);
    const { certificate, caChain, serialNumber } = minted.material.reveal() as {
      certificate: string;
      caChain: string[];
      serialNumber: string;
    };
    const leaf = new X509Certificate(certificate);
    expect(leaf.verify(new X509Certificate(caChain[0]!).publicKey)).toBe(true);
    expect(leaf.checkHost('task.svc.example.org')).toBeDefined();
    const serial = Buffer.from(serialNumber.replaceAll(':', ''), 'hex');
    expect((await revocationList()).includes(serial)).toBe(false);
    await ports().revoker.revokeLease(minted.vaultLeaseId!);
    expect((await revocationList()).includes(serial)).toBe(true);
  });

  it('refuses a certificate for a name outside its role, and parameters that the engine does not take', async () => {
    const token = await tokenFor(ports(), [CATALOGUE.certificate]);
    for (const parameters of [{ common_name: 'bank.example.com' }, { common_name: '*.svc.example.org' }, { format: 'der' }]) {
      await expect(mint(ports(), token, { ...CATALOGUE.certificate, parameters })).rejects.toMatchObject({ code: 'mint-refused' });
    }
  });

  it('counts a warning as a failure, and revokes what was made', async () => {
    const token = await tokenFor(ports(), [CATALOGUE.certificate]);
    const crlBefore = (await revocationList()).length;
    // Vault would cap it at an hour and only warn.
    await expect(mint(ports(), token, CATALOGUE.certificate, 7200)).rejects.toMatchObject({ code: 'mint-refused' });
    expect((await revocationList()).length).toBeGreaterThan(crlBefore);
  });

  it('says of an SSH certificate the serial number that stands in it', async () => {
    const { principal, material } = await mint(ports(), await tokenFor(ports(), [CATALOGUE.bastion]), CATALOGUE.bastion);
    const [, blob = ''] = String(material.reveal()['signedKey']).split(' ');
    const serial = Buffer.alloc(8);
    serial.writeBigUInt64BE(BigInt(`0x${principal}`));
    expect(Buffer.from(blob, 'base64').includes(serial)).toBe(true);
  });

  it('refuses an SSH certificate that would live longer than five minutes', async () => {
    const token = await tokenFor(ports(), [CATALOGUE.bastion]);
    await expect(mint(ports(), token, CATALOGUE.bastion, 301)).rejects.toMatchObject({ code: 'mint-refused' });
  });

  it('hands out a data key that opens again for whoever may use the key, and ends with nothing', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.payload]), CATALOGUE.payload);
    expect(Buffer.from((minted.material.reveal() as { plaintext: string }).plaintext, 'base64')).toHaveLength(32);
    expect(minted).toEqual({ material: minted.material });
  });

  it('reads a stored object, and no longer once the token is gone', async () => {
    const { token, accessor } = await tokenFor(ports(), [CATALOGUE.reports]);
    const { material } = await mint(ports(), { token }, CATALOGUE.reports);
    expect(material.reveal()).toHaveProperty('apiKey');
    await ports().revoker.revokeToken(accessor);
    expect((await raw(servers().address, 'GET', 'kv/data/reports/daily', token.reveal())).status).toBe(403);
  });

  it('sends no path that climbs or hides a slash', async () => {
    const token = await tokenFor(ports(), [CATALOGUE.read, CATALOGUE.reports]);
    for (const role of ['../creds/orders-write', 'orders-read/../orders-write', 'a%2fb', '..', '', 'a//b', 'a?list=true', 'a&#x2F;b']) {
      for (const capability of [CATALOGUE.read, CATALOGUE.reports]) {
        await expect(mint(ports(), token, { ...capability, role })).rejects.toMatchObject({ code: 'invalid-request' });
      }
    }
  });
}

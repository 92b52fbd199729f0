/** What the console lists is what OpenSSH understands: tried with the real ssh-keygen. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ManualClock, plusSeconds } from '@mayfly/domain';
import { endGrant, lockGrant, transitionLease } from '@mayfly/store';
import { serve, type Served } from '../../../libs/http/test/serve.js';
import { AT, capability, granted, startLedger, type Ledger } from '../../../libs/store/test/ledger.js';
import { Operating } from '../src/operating.js';
import { RevokedSerialsController } from '../src/revoked-serials.controller.js';

const clock = new ManualClock(AT);
let ledger: Ledger;
let served: Served;
let folder: string;
beforeAll(async () => {
  ledger = await startLedger();
  served = await serve({
    controllers: [RevokedSerialsController],
    providers: [{ provide: Operating, useValue: new Operating({ database: ledger.database, clock }) }],
  });
  folder = mkdtempSync(join(tmpdir(), 'mayfly-krl-'));
  keygen('-t', 'ed25519', '-N', '', '-f', 'ca');
}, 60_000);
afterAll(async () => {
  if (folder) rmSync(folder, { recursive: true });
  await served?.close();
  await ledger?.stop();
});

const keygen = (...args: string[]): Buffer => execFileSync('ssh-keygen', ['-q', ...args], { cwd: folder });

/** A user certificate by our authority, and its task in the ledger. */
async function certificate(name: string, serial: bigint) {
  keygen('-t', 'ed25519', '-N', '', '-f', name);
  keygen('-s', 'ca', '-I', name, '-n', 'mayfly', '-V', '+5m', '-z', String(serial), `${name}.pub`);
  const spec = capability({ name: 'bastion.ssh', engine: 'ssh', shape: 'expiry-only', compensation: 'revoked-serials', probe: false });
  const { grant, lease } = await granted(ledger.database, { spec, lease: false });
  await transitionLease(ledger.database, lease.ref, 'minting', 'active', {
    issuedAt: AT,
    expiresAt: plusSeconds(AT, 300),
    principal: serial.toString(16),
  });
  const end = () =>
    ledger.database.transaction('test', async (tx) =>
      endGrant(tx, (await lockGrant(tx, grant.id))!, { cause: 'task_ended', by: 'revoker', at: AT }),
    );
  return { file: `${name}-cert.pub`, end };
}
const listed = async (): Promise<string> => (await fetch(`${served.url}/v1/revoked-serials/bastion.ssh`)).text();
/** What a host would do with the list: true when sshd would refuse the certificate. */
const refused = (list: string, file: string): boolean => {
  writeFileSync(join(folder, 'list'), list);
  keygen('-k', '-f', 'krl', '-s', 'ca.pub', 'list');
  return spawnSync('ssh-keygen', ['-Q', '-f', 'krl', file], { cwd: folder }).status !== 0;
};

test('a certificate whose task is over is refused by OpenSSH; the others are not; what has run out is not listed any more', async () => {
  const [over, live] = [await certificate('over', 0xc73f_26d2_3402_76aan), await certificate('live', 7n)];
  expect(refused(await listed(), over.file)).toBe(false);
  await over.end();
  expect([refused(await listed(), over.file), refused(await listed(), live.file)]).toEqual([true, false]);
  expect(readFileSync(join(folder, 'list'), 'utf8')).toBe('serial: 0xc73f26d2340276aa\n');
  clock.advance(300_000);
  expect(await listed()).toBe('');
});

test('a name that cannot be a capability is refused; an unknown one has nothing to list', async () => {
  expect((await fetch(`${served.url}/v1/revoked-serials/${encodeURIComponent("x' or 1")}`)).status).toBe(400);
  const unknown = await fetch(`${served.url}/v1/revoked-serials/unknown`);
  expect([unknown.status, await unknown.text()]).toEqual([200, '']);
});

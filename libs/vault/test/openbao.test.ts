/** Everything that only a real server can prove. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recordSpans } from '@mayfly/telemetry';
import { vaultForDelivery, vaultForIssuer, vaultForRevoker } from '../src/index.js';
import { keepsThePromises } from './conformance.js';
import { everyEngineDies } from './suites/deaths.js';
import { canaries } from './suites/canaries.js';
import { databaseUsersDie } from './suites/database.js';
import { certificatesDie } from './suites/certificates.js';
import { capabilitiesHaveDigests } from './suites/digests.js';
import { privilegesAreMinimal } from './suites/privileges.js';
import { provisionAgain, startServers, type Servers } from './servers.js';

let servers: Servers;
const recording = recordSpans();
const settings = (service: string) => ({ address: servers.address, jwtFile: servers.jwtFile(service), role: `mayfly-${service}` });

beforeAll(async () => {
  servers = await startServers();
}, 120_000);
const closing: { close(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(closing.map((one) => one.close()));
  await servers?.stop();
  await recording.stop();
}, 30_000);

/** One connection per service for all tests, as in a running process. */
let connected: ReturnType<typeof connectAll> | undefined;
const connectAll = () => ({
  vault: vaultForIssuer(settings('issuer')),
  revoker: vaultForRevoker(settings('revoker')),
  delivery: vaultForDelivery(settings('delivery')),
});
const ports = () => (connected ??= connectAll());

describe('OpenBao', () => {
  keepsThePromises(ports);
  databaseUsersDie(ports, () => servers);
  certificatesDie(ports, () => servers);
  everyEngineDies(ports, () => servers, closing);
  privilegesAreMinimal(() => servers);
  capabilitiesHaveDigests(() => servers);

  it('lets a healthy service say so, and no process with an agent’s key', async () => {
    await ports().vault.health();
    await ports().revoker.health();
    const forger = vaultForIssuer({ ...settings('issuer'), jwtFile: servers.forgedJwtFile });
    await expect(forger.health()).rejects.toMatchObject({ code: 'vault-unavailable' });
    const impostor = vaultForIssuer({ ...settings('delivery'), role: 'mayfly-issuer' });
    await expect(impostor.health()).rejects.toMatchObject({ code: 'vault-unavailable' });
  });

  it('is provisioned again without making anything anew', async () => {
    const written = await provisionAgain(servers);
    for (const once of ['sys/mounts/pki', 'pki/root/generate/internal', 'ssh/config/ca', 'transit/keys/payload', 'kv/data/reports/daily']) {
      expect(written).not.toContain(once);
    }
  });

  canaries(ports, () => servers, recording.spans);
});

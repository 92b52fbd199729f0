/** Every engine's credentials die as the conformance suite of libs/revocation wants it, on real servers. */
import { describe } from '@jest/globals';
import { newGrantId, newLeaseRef, taskId, type Capability } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';
import { openDatabase, type Database } from '@mayfly/postgres';
import type { Killers } from '@mayfly/revocation';
import { PostgresProbe, quarantineAt, quarantinesOf, type Targets } from '@mayfly/targets';
import { diesWhenRevoked, neverCallsItselfRevoked, type Specimen, type Yard } from '../../../revocation/test/conformance.js';
import { vaultForRevoker } from '../../src/index.js';
import { CATALOGUE } from '../catalogue.js';
import { mint, type Ports } from '../conformance.js';
import type { Servers } from '../servers.js';

const NOWHERE = '127.0.0.1:1';
let minted = 0;

export function everyEngineDies(ports: () => Ports, servers: () => Servers, closing: { close(): Promise<void> }[]): void {
  const closed = <T extends { close(): Promise<void> }>(one: T): T => {
    closing.push(one);
    return one;
  };
  let killers: Omit<Yard, 'mint'> | undefined;
  const yard = (): Omit<Yard, 'mint'> => (killers ??= makeKillers(ports(), servers(), closed));

  const specimen =
    (entry: Capability, more: (lease: Lease, material: Readonly<Record<string, unknown>>) => Partial<Specimen>) =>
    async (): Promise<Specimen> => {
      const grantId = newGrantId();
      const policies = [entry.vaultPolicy];
      const token = await ports().vault.create({
        grantId,
        taskId: taskId(`dies-${(minted += 1)}`),
        tenant: 'default',
        policies,
        ttlSeconds: 600,
      });
      const { material, vaultLeaseId, principal, expiresAt } = await mint(ports(), token, entry);
      const now = new Date();
      const lease: Lease = {
        ref: newLeaseRef(),
        grantId,
        name: 'it',
        state: 'revoking',
        minter: 'issuer',
        intendedAt: now,
        issuedAt: now,
        cause: 'task_ended',
        ...(vaultLeaseId && { vaultLeaseId }),
        ...(principal && { principal }),
        ...(expiresAt && { expiresAt }),
      };
      const credential = {
        grantId,
        name: 'it',
        capability: entry.name,
        spec: entry,
        permitted: true,
        decisionId: 'd',
        policyDigest: 'p',
        reasons: [],
        policies: [],
        fetches: 0,
      };
      return { doomed: { lease, credential }, works: async () => true, ...more(lease, material.reveal()) };
    };

  const asAdmin = async (statement: string): Promise<void> => {
    const admin = openDatabase({ url: servers().adminUrl, maxConnections: 1, applicationName: 'test' });
    await admin.run('', statement).finally(() => admin.close());
  };
  const accepted = (database: Database): Promise<boolean> =>
    database.run('', 'SELECT 1').then(
      () => true,
      () => false,
    );
  const databaseUser = specimen({ ...CATALOGUE.read, target: 'orders', probe: true }, ({ principal }, { password }) => {
    const login = () =>
      openDatabase({ url: servers().ordersUrl(principal!, String(password)), maxConnections: 1, applicationName: 'agent' });
    return {
      works: async () => {
        const one = login();
        return accepted(one).finally(() => one.close());
      },
      session: async () => {
        const open = closed(login());
        const [row] = await open.run<{ pid: number }>('', 'SELECT pg_backend_pid() AS pid');
        const stillThat = async () => (await open.run<{ pid: number }>('', 'SELECT pg_backend_pid() AS pid'))[0]?.pid === row?.pid;
        return { works: () => stillThat().catch(() => false) };
      },
      barLogin: () => asAdmin(`ALTER ROLE "${principal}" NOLOGIN`),
      recreate: () =>
        asAdmin(
          `SET ROLE orders_admin; CREATE ROLE "${principal}" LOGIN PASSWORD '${String(password)}'; GRANT SELECT ON orders TO "${principal}"`,
        ),
    };
  });
  const certificate = specimen({ ...CATALOGUE.certificate, probe: true }, ({ principal }) => ({
    works: async () => {
      const list = Buffer.from(await (await fetch(`${servers().address}/v1/pki/crl`)).arrayBuffer());
      return !list.includes(Buffer.from(principal!.replaceAll(':', ''), 'hex'));
    },
  }));

  describe('a database user', () => diesWhenRevoked(() => ({ ...yard(), mint: databaseUser }), { quarantine: true }));
  describe('a certificate', () => diesWhenRevoked(() => ({ ...yard(), mint: certificate }), { quarantine: false }));
  describe.each([
    ['an SSH certificate', CATALOGUE.bastion],
    ['a stored object', CATALOGUE.reports],
    ['a data key', CATALOGUE.payload],
  ])('%s', (_, entry) => neverCallsItselfRevoked(() => ({ ...yard(), mint: specimen(entry, () => ({})) })));
}

function makeKillers(
  { revoker }: Ports,
  servers: Servers,
  closed: <T extends { close(): Promise<void> }>(one: T) => T,
): Omit<Yard, 'mint'> {
  const targets = (at: (user: string) => string): Targets => ({
    orders: {
      kind: 'postgres',
      connection: { host: '127.0.0.1', port: 5432, database: 'orders' },
      probeUrl: at('mayfly_probe'),
      quarantine: { url: at('mayfly_quarantine'), admin: 'orders_admin' },
    },
  });
  const reached = (at: (user: string) => string): Omit<Killers, 'revoker'> => ({
    settledUntil: () => undefined,
    probe: closed(new PostgresProbe(targets(at))),
    quarantine: quarantineAt(quarantinesOf(targets(at)).map(closed)),
  });
  const here = reached((user) => servers.ordersUrl(user, servers.passwords[user] ?? ''));
  const away = vaultForRevoker({
    address: `http://${NOWHERE}`,
    jwtFile: servers.jwtFile('revoker'),
    role: 'mayfly-revoker',
    timeoutMs: 300,
  });
  const powerless = vaultForRevoker({ address: servers.address, jwtFile: servers.jwtFile('delivery'), role: 'mayfly-delivery' });
  return {
    killers: { revoker, ...here },
    vaultAway: { revoker: away, ...here },
    vaultRefuses: { revoker: powerless, ...here },
    targetAway: { revoker, ...reached((user) => `postgres://${user}:x@${NOWHERE}/orders`) },
  };
}

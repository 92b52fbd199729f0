/** A database user works while its task lives, and neither its login nor its open session outlives the revocation. */
import { expect, it } from '@jest/globals';
import { openDatabase, type Database } from '@mayfly/postgres';
import type { Minted } from '@mayfly/grant';
import { CATALOGUE } from '../catalogue.js';
import { mint, tokenFor, type Ports } from '../conformance.js';
import type { Servers } from '../servers.js';

export function databaseUsersDie(ports: () => Ports, servers: () => Servers): void {
  const asUrl = (url: string): Database => openDatabase({ url, maxConnections: 1, applicationName: 'test' });
  const login = ({ material }: Minted): Database => {
    const { username, password } = material.reveal() as { username: string; password: string };
    return asUrl(servers().ordersUrl(username, password));
  };
  const inOrders = async <T>(work: (admin: Database) => Promise<T>): Promise<T> => {
    const admin = asUrl(servers().adminUrl);
    try {
      return await work(admin);
    } finally {
      await admin.close();
    }
  };
  const left = (principal: string): Promise<{ roles: string; sessions: string }> =>
    inOrders(async (admin) => {
      const [row] = await admin.run<{ roles: string; sessions: string }>(
        '',
        `SELECT (SELECT count(*) FROM pg_roles WHERE rolname = $1) AS roles, (SELECT count(*) FROM pg_stat_activity WHERE usename = $1) AS sessions`,
        [principal],
      );
      return row!;
    });
  const NOTHING = { roles: '0', sessions: '0' };

  it('logs in and reads, then is refused, and its open session is ended with it', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.read]), CATALOGUE.read);
    const open = login(minted);
    await expect(open.run('', 'DELETE FROM orders')).rejects.toThrow(/permission denied/);
    expect(await open.run('', 'SELECT * FROM orders')).not.toHaveLength(0);
    expect(await left(minted.principal!)).toEqual({ roles: '1', sessions: '1' });

    await ports().revoker.revokeLease(minted.vaultLeaseId!);
    expect(await left(minted.principal!)).toEqual(NOTHING);
    await expect(open.run('', 'SELECT 1')).rejects.toThrow();
    await open.close();
  });

  /** Opens sessions with a login until it gets no more, at most `most`. */
  const sessions = async (minted: Minted, most: number): Promise<{ open: Database[]; refusal?: string }> => {
    const open: Database[] = [];
    while (open.length < most) {
      const session = login(minted);
      try {
        await session.ping();
        open.push(session);
      } catch (error) {
        await session.close();
        return { open, refusal: String((error as Error).cause ?? error) };
      }
    }
    return { open };
  };

  it('lets no login have more than a few of the server’s connections', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.read]), CATALOGUE.read);
    const { open, refusal } = await sessions(minted, 20);
    expect(open).toHaveLength(8);
    expect(refusal).toMatch(/too many connections for role/);
    await ports().revoker.revokeLease(minted.vaultLeaseId!);
    expect(await left(minted.principal!)).toEqual(NOTHING);
    await Promise.all(open.map((each) => each.close()));
  });

  it('comes in and ends a login quickly, though agents hold every connection that they can get', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.read]), CATALOGUE.read);
    // In place of many agents with a few each.
    await inOrders((admin) => admin.run('', `ALTER ROLE "${minted.principal}" CONNECTION LIMIT -1`));
    const { open, refusal } = await sessions(minted, 400);
    expect(refusal).toMatch(/pg_use_reserved_connections/);
    for (const [role, password] of Object.entries(servers().passwords)) {
      const ours = asUrl(servers().ordersUrl(role, password));
      await ours.ping();
      await ours.close();
    }
    const since = performance.now();
    await ports().revoker.revokeLease(minted.vaultLeaseId!);
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(await left(minted.principal!)).toEqual(NOTHING);
    await Promise.all(open.map((each) => each.close()));
  }, 30_000);

  it('refuses new logins from before the first session is ended, not only when the user is gone', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.read]), CATALOGUE.read);
    const again = login(minted);
    let revoked: Promise<void> | undefined;
    // Whoever holds this lock keeps the revocation from dropping the user, and so right in the middle.
    await inOrders((admin) =>
      admin.transaction('hold', async (tx) => {
        await tx.run('', 'LOCK TABLE pg_auth_members IN SHARE MODE');
        revoked = ports().revoker.revokeLease(minted.vaultLeaseId!);
        await inOrders(async (other) => {
          const waiting = () => other.run('', `SELECT FROM pg_stat_activity WHERE usename = 'orders_admin' AND wait_event_type = 'Lock'`);
          while ((await waiting()).length === 0);
        });
        await expect(again.run('', 'SELECT 1')).rejects.toThrow(/not permitted to log in/);
      }),
    );
    await revoked;
    expect(await left(minted.principal!)).toEqual(NOTHING);
    await again.close();
  });

  it('lets a writer write, and removes what it owned with it', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.write]), CATALOGUE.write);
    const writer = login(minted);
    await writer.run('', `INSERT INTO orders (customer, item, amount) VALUES ('Test', 'lens', 1)`);
    await writer.run('', `UPDATE orders SET amount = 2 WHERE customer = 'Test'`);
    await writer.run('', 'SELECT lo_create(0)');
    await ports().revoker.revokeLease(minted.vaultLeaseId!);
    expect(await left(minted.principal!)).toEqual(NOTHING);
    await writer.close();
  });

  it('revokes a lease whose user somebody else dropped already', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.read]), CATALOGUE.read);
    await inOrders((admin) => admin.run('', `DROP OWNED BY "${minted.principal}"; DROP ROLE "${minted.principal}"`));
    await ports().revoker.revokeLease(minted.vaultLeaseId!);
    expect(await ports().revoker.isLeaseGone(minted.vaultLeaseId!)).toBe(true);
  });

  it('tells the database the wanted end of the login, shorter or longer than the role’s own', async () => {
    for (const seconds of [60, 2400]) {
      const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.read], { ttlSeconds: 3000 }), CATALOGUE.read, seconds);
      const [row] = await inOrders((admin) =>
        admin.run<{ seconds: number }>(
          '',
          'SELECT extract(epoch FROM rolvaliduntil - now())::float AS seconds FROM pg_roles WHERE rolname = $1',
          [minted.principal],
        ),
      );
      expect(Math.abs(row!.seconds - seconds)).toBeLessThan(10);
    }
  });

  it('leaves no user behind when the wanted life cannot be had', async () => {
    const token = await tokenFor(ports(), [CATALOGUE.read], { id: 'too-long' });
    const users = () => inOrders((admin) => admin.run('', `SELECT FROM pg_roles WHERE rolname LIKE 'token-%'`));
    const before = (await users()).length;
    await expect(mint(ports(), token, CATALOGUE.read, 7200)).rejects.toMatchObject({ code: 'mint-refused' });
    expect(await users()).toHaveLength(before);
  });

  it('ends the user at the task’s deadline by Vault alone, though its lease was to last longer', async () => {
    const minted = await mint(ports(), await tokenFor(ports(), [CATALOGUE.read], { ttlSeconds: 2 }), CATALOGUE.read);
    expect((await left(minted.principal!)).roles).toBe('1');
    while (!(await ports().revoker.isLeaseGone(minted.vaultLeaseId!)));
    expect(await left(minted.principal!)).toEqual(NOTHING);
  });

  it('ends the users of a whole task tree with its root token', async () => {
    const root = await tokenFor(ports(), [CATALOGUE.read]);
    const child = await tokenFor(ports(), [CATALOGUE.read], { parent: root.token });
    const minted = await mint(ports(), child, CATALOGUE.read);
    await ports().revoker.revokeLease(minted.vaultLeaseId!);
    await ports().revoker.revokeToken(root.accessor);
    expect(await ports().revoker.isTokenGone(child.accessor)).toBe(true);
    expect(await left(minted.principal!)).toEqual(NOTHING);
  });
}

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '@mayfly/domain';
import { openDatabase, type Database, type Listener, type Sql } from '@mayfly/postgres';
import { startServer, until, type Server } from './server.js';

let server: Server;
let database: Database;
/** Another way to the same server, to do harm with. */
let saboteur: Database;
beforeAll(async () => {
  server = await startServer();
  database = openDatabase({ url: server.url, applicationName: 'test', maxConnections: 3 });
  saboteur = openDatabase({ url: server.url, applicationName: 'saboteur', maxConnections: 1 });
  await database.run('', 'create table note (id int primary key)');
}, 60_000);
afterAll(async () => {
  await database?.close();
  await saboteur?.close();
  await server?.stop();
});

const pidOf = async (sql: Sql): Promise<number> => (await sql.run<{ pid: number }>('', 'select pg_backend_pid() as pid'))[0]!.pid;
const isThere = async (pid: number): Promise<boolean> =>
  (await saboteur.run('', 'select 1 from pg_stat_activity where pid = $1', [pid])).length > 0;
/** Ends a backend and waits until it is gone. */
async function end(pid: number): Promise<void> {
  await saboteur.run('', 'select pg_terminate_backend($1)', [pid]);
  await until(async () => !(await isThere(pid)));
}
const notes = async (): Promise<number[]> =>
  (await database.run<{ id: number }>('', 'select id from note order by id')).map(({ id }) => id);

describe('a transaction', () => {
  test('is all or nothing', async () => {
    await database.transaction('test', (tx) => tx.run('', 'insert into note values (1)'));
    await expect(
      database.transaction('test', async (tx) => {
        await tx.run('', 'insert into note values (2)');
        throw new TypeError('changed my mind');
      }),
    ).rejects.toThrow(TypeError);
    expect(await notes()).toEqual([1]);
  });

  test('keeps the driver’s error of a wrong statement, and its connection works on', async () => {
    await expect(database.transaction('test', (tx) => tx.run('', 'insert into note values (1)'))).rejects.toMatchObject({ code: '23505' });
    await expect(database.run('', 'selekt')).rejects.toMatchObject({ code: '42601' });
    expect(await database.run('', 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('whose server ends its connection between two statements costs that transaction, not the process', async () => {
    const broken = database.transaction('test', async (tx) => {
      await tx.run('', 'insert into note values (3)');
      await end(await pidOf(tx));
      await tx.run('', 'insert into note values (4)');
    });
    await expect(broken).rejects.toThrow(StoreUnavailable);
    expect(await notes()).toEqual([1]);
  });

  test('whose connection ends before the commit did not happen, and says so', async () => {
    const broken = database.transaction('test', async (tx) => {
      await tx.run('', 'insert into note values (5)');
      await end(await pidOf(tx));
    });
    await expect(broken).rejects.toThrow(StoreUnavailable);
    expect(await notes()).toEqual([1]);
  });

  test('whose statement is under way when its connection ends is StoreUnavailable', async () => {
    let pid = 0;
    const broken = database.transaction('test', async (tx) => {
      pid = await pidOf(tx);
      await tx.run('', 'select pg_sleep(30)');
    });
    const refused = expect(broken).rejects.toThrow(StoreUnavailable);
    await until(() => pid > 0);
    await end(pid);
    await refused;
  });

  test('leaves no broken connection in the pool: as many as there are all work afterwards', async () => {
    const all = await Promise.all([1, 2, 3].map(() => database.transaction('test', pidOf)));
    for (const pid of all) expect(await isThere(pid)).toBe(true);
  });
});

test('an idle connection that ends is replaced at its next use', async () => {
  const one = openDatabase({ url: server.url, applicationName: 'idle', maxConnections: 1 });
  try {
    const pid = await pidOf(one);
    await end(pid);
    // It is told a moment after it is gone; until then the old connection may be handed out once more.
    await until(async () => (await pidOf(one).catch(() => pid)) !== pid);
  } finally {
    await one.close();
  }
});

test('a server that is not there is StoreUnavailable, for every way to ask', async () => {
  const nobody = openDatabase({ url: 'postgres://mayfly:hunter2@127.0.0.1:1/none', applicationName: 'test' });
  try {
    const refusals = await Promise.all(
      [nobody.ping(), nobody.run('', 'select 1'), nobody.transaction('test', (tx) => tx.run('', 'select 1'))].map((asked) =>
        asked.then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    );
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(StoreUnavailable);
    expect(refusals.map((refusal) => (refusal as Error).message).join()).not.toContain('hunter2');
  } finally {
    await nobody.close();
  }
});

describe('a listener', () => {
  const listening: Listener[] = [];
  afterAll(() => Promise.all(listening.map((listener) => listener.close())));

  const backends = async (name: string): Promise<number[]> =>
    (await saboteur.run<{ pid: number }>('', 'select pid from pg_stat_activity where application_name = $1', [name])).map(({ pid }) => pid);

  test('calls back once when it listens, then on every notification, and on no other channel’s', async () => {
    const heard: string[] = [];
    listening.push(database.listen('mayfly_a', (payload) => heard.push(payload)));
    await until(() => heard.length === 1);
    await saboteur.run('', `select pg_notify('mayfly_b', 'other'), pg_notify('mayfly_a', 'one')`);
    await until(() => heard.length > 1);
    expect(heard).toEqual(['', 'one']);
  });

  test('comes back when its connection is ended, and calls back since something may have been missed', async () => {
    const heard: string[] = [];
    const other = openDatabase({ url: server.url, applicationName: 'returning' });
    listening.push(other.listen('mayfly_c', (payload) => heard.push(payload)));
    await until(() => heard.length === 1);
    const [pid] = await backends('returning-listen');
    await end(pid!);
    await until(() => heard.length === 2);
    await saboteur.run('', `select pg_notify('mayfly_c', 'after')`);
    await until(() => heard.length === 3);
    expect(heard).toEqual(['', '', 'after']);
    expect(await backends('returning-listen')).toHaveLength(1);
    await other.close();
  });

  test('shares its connection with others: each hears its own channel, and the last one that goes ends it', async () => {
    const heard: string[] = [];
    const other = openDatabase({ url: server.url, applicationName: 'sharing' });
    const first = other.listen('mayfly_g', (payload) => heard.push(`g1 ${payload}`));
    await until(() => heard.length === 1);
    const second = other.listen('mayfly_g', (payload) => heard.push(`g2 ${payload}`));
    const third = other.listen('mayfly_h', (payload) => heard.push(`h ${payload}`));
    await until(() => heard.length === 3);
    expect(heard).toEqual(['g1 ', 'g2 ', 'h ']);
    expect(await backends('sharing-listen')).toHaveLength(1);
    await first.close();
    await saboteur.run('', `select pg_notify('mayfly_g', 'one'), pg_notify('mayfly_h', 'two')`);
    await until(() => heard.length === 5);
    expect(heard.slice(3)).toEqual(['g2 one', 'h two']);
    await end((await backends('sharing-listen'))[0]!);
    await until(() => heard.length === 7);
    expect(heard.slice(5).sort()).toEqual(['g2 ', 'h ']);
    await Promise.all([second.close(), third.close()]);
    await until(async () => (await backends('sharing-listen')).length === 0);
    await other.close();
  });

  test('keeps trying while nobody answers, and can be closed all the same', async () => {
    const nobody = openDatabase({ url: 'postgres://127.0.0.1:1/none', applicationName: 'test' });
    const listener = nobody.listen('mayfly_d', () => {
      throw new Error('there is nothing to hear');
    });
    await listener.close();
    await nobody.close();
  });

  test('closed is closed: its connection is gone and it hears nothing more', async () => {
    const heard: string[] = [];
    const other = openDatabase({ url: server.url, applicationName: 'closing' });
    const listener = other.listen('mayfly_e', (payload) => heard.push(payload));
    await until(() => heard.length === 1);
    await listener.close();
    await until(async () => (await backends('closing-listen')).length === 0);
    await saboteur.run('', `select pg_notify('mayfly_e', 'late')`);
    expect(heard).toEqual(['']);
    await other.close();
  });

  test('closed before it was connected leaves no connection behind', async () => {
    const heard: string[] = [];
    const other = openDatabase({ url: server.url, applicationName: 'hasty' });
    for (let round = 0; round < 10; round += 1) await other.listen('mayfly_f', (payload) => heard.push(payload)).close();
    await until(async () => (await backends('hasty-listen')).length === 0);
    await saboteur.run('', `select pg_notify('mayfly_f', 'late')`);
    expect(heard.filter((payload) => payload !== '')).toEqual([]);
    await other.close();
  });
});

describe('a statement is planned', () => {
  const mode = `select current_setting('plan_cache_mode') as mode where $1::int = 1`;
  const modeOf = async (sql: Sql, name: string): Promise<unknown> => (await sql.run<{ mode: string }>(name, mode, [1]))[0]?.mode;

  test('once for all values where it has a name, and for its own where it has none', async () => {
    const kept = openDatabase({ url: server.url, applicationName: 'kept', maxConnections: 1, keepsPlans: true });
    try {
      expect(await modeOf(kept, 'kept')).toBe('force_generic_plan');
      expect(await modeOf(kept, '')).toBe('force_custom_plan');
      await kept.transaction('test', async (tx) => expect(await modeOf(tx, '')).toBe('force_custom_plan'));
      expect(await modeOf(kept, 'kept')).toBe('force_generic_plan');
      expect(await kept.run('', `select generic_plans::int as once, custom_plans::int as anew from pg_prepared_statements`)).toEqual([
        { once: 2, anew: 0 },
      ]);
    } finally {
      await kept.close();
    }
  });

  test('as the server likes where nobody asked for it', async () => {
    expect(await modeOf(database, 'liked')).toBe('auto');
  });
});

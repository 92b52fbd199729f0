import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { migrate, openDatabase, type Database } from '@mayfly/postgres';
import { startServer, type Server } from './server.js';

let server: Server;
let folder: string;
let name = 0;
let database: Database;
beforeAll(async () => {
  server = await startServer();
}, 60_000);
afterAll(() => server?.stop());

const write = (file: string, text: string): Promise<void> => writeFile(join(folder, file), text);
const open = (): Database => openDatabase({ url: urlOf(`m${name}`), applicationName: 'test', maxConnections: 2 });
const urlOf = (which: string): string => server.url.replace(/\/postgres$/, `/${which}`);

/** An empty database and two scripts for each test. */
beforeEach(async () => {
  name += 1;
  const root = openDatabase({ url: server.url, applicationName: 'test' });
  await root.run('', `create database m${name}`);
  await root.close();
  folder = await mkdtemp(join(tmpdir(), 'mayfly-migrate-'));
  // Without a primary key: running it twice would show.
  await write('0001-first.sql', 'create table first (n int); insert into first values (1);');
  await write('0002-second.sql', 'alter table first add column m int; insert into first values (2, 2);');
  await write('notes.sql', 'this is no migration');
  database = open();
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

const rows = () => database.run<{ n: number }>('', 'select n from first order by n');

test('each script runs once, in order, and a second run has nothing to do', async () => {
  expect(await migrate(database, folder)).toEqual(['0001-first.sql', '0002-second.sql']);
  expect(await migrate(database, folder)).toEqual([]);
  await write('0003-third.sql', 'insert into first values (3, 3);');
  expect(await migrate(database, folder)).toEqual(['0003-third.sql']);
  expect(await rows()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('many in one process at once run each script once', async () => {
  const others = [open(), open(), open()];
  try {
    const ran = await Promise.all([database, ...others].map((one) => migrate(one, folder)));
    expect(ran.flat().sort()).toEqual(['0001-first.sql', '0002-second.sql']);
    expect(await rows()).toEqual([{ n: 1 }, { n: 2 }]);
  } finally {
    await Promise.all(others.map((one) => one.close()));
  }
});

test('two processes at once run each script once, and both succeed', async () => {
  // Of the package as it was built, which is what runs.
  const script = `
    import { migrate, openDatabase } from '@mayfly/postgres';
    const database = openDatabase({ url: process.env.URL_OF_TEST, applicationName: 'process' });
    process.stdout.write(JSON.stringify(await migrate(database, process.env.FOLDER_OF_TEST)));
    await database.close();`;
  const run = async (): Promise<string[]> => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      env: { PATH: process.env['PATH'], URL_OF_TEST: urlOf(`m${name}`), FOLDER_OF_TEST: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => (text += String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    return JSON.parse(text) as string[];
  };
  const ran = await Promise.all([run(), run()]);
  expect(ran.flat().sort()).toEqual(['0001-first.sql', '0002-second.sql']);
  expect(await rows()).toEqual([{ n: 1 }, { n: 2 }]);
});

test('a script that was changed after it ran is refused by name, and nothing runs', async () => {
  await migrate(database, folder);
  await write('0002-second.sql', 'drop table first;');
  await write('0003-third.sql', 'insert into first values (3, 3);');
  await expect(migrate(database, folder)).rejects.toMatchObject({
    code: 'migration-changed',
    message: expect.stringContaining('0002-second.sql'),
  });
  expect(await rows()).toEqual([{ n: 1 }, { n: 2 }]);
});

test('a script that fails leaves nothing of any script behind', async () => {
  await write('0002-second.sql', 'insert into first values (2); selekt;');
  await expect(migrate(database, folder)).rejects.toMatchObject({ code: '42601' });
  expect(await database.run('', `select to_regclass('first') as first`)).toEqual([{ first: null }]);
  await write('0002-second.sql', 'insert into first values (2);');
  expect(await migrate(database, folder)).toEqual(['0001-first.sql', '0002-second.sql']);
});

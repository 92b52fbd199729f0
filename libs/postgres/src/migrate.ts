/**
 * Numbered SQL files, each run once, in order, by one process at a time.
 * @module
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MayflyError, sha256 } from '@mayfly/domain';
import type { Database } from './database.js';

const FILE = /^(\d{4})-[a-z0-9-]+\.sql$/;
const LOCK = 4_701_001;

/**
 * Brings the database up to the newest file of the folder. Safe to run from many processes at once.
 * @returns the names of the files that were run now
 * @throws MayflyError `migration-changed` when a file that was already run has other content today
 */
export async function migrate(database: Database, folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => FILE.test(name)).sort();
  const files = await Promise.all(names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })));
  return database.transaction('migrate', async (tx) => {
    await tx.run('migrate.lock', 'select pg_advisory_xact_lock($1)', [LOCK]);
    await tx.run(
      'migrate.table',
      'create table if not exists public.mayfly_migration (name text primary key, digest text not null, run_at timestamptz not null default now())',
    );
    const done = await tx.run<{ name: string; digest: string }>('migrate.done', 'select name, digest from public.mayfly_migration');
    const digests = new Map(done.map((row) => [row.name, row.digest]));
    const run: string[] = [];
    for (const { name, text } of files) {
      const digest = sha256(text);
      const before = digests.get(name);
      if (before === digest) continue;
      if (before !== undefined) {
        throw new MayflyError('migration-changed', `migration ${name} was changed after it was run; add a new file instead`, 500, false);
      }
      await runScript(tx, text);
      await tx.run('migrate.note', 'insert into public.mayfly_migration (name, digest) values ($1, $2)', [name, digest]);
      run.push(name);
    }
    return run;
  });
}

/** A script of many statements cannot be prepared, so it is run without a name. */
const runScript = (tx: { run(name: string, text: string): Promise<unknown> }, text: string): Promise<unknown> => tx.run('', text);

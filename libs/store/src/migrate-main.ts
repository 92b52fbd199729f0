/**
 * Brings the ledger's schema up to date: `DATABASE_URL=… node dist/migrate-main.js`, as the database's owner.
 * @module
 */
import { fileURLToPath } from 'node:url';
import { migrate, openDatabase } from '@mayfly/postgres';

const url = process.env['DATABASE_URL'];
if (!url) {
  process.stderr.write('DATABASE_URL is not set; name the database owner’s URL\n');
  process.exit(2);
}
const database = openDatabase({ url, applicationName: 'mayfly-migrate', maxConnections: 1 });
try {
  const run = await migrate(database, fileURLToPath(new URL('../sql', import.meta.url)));
  process.stdout.write(run.length > 0 ? `migrated: ${run.join(', ')}\n` : 'schema is up to date\n');
} finally {
  await database.close();
}

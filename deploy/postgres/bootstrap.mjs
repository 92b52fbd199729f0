/**
 * Makes the roles, the ledger's database and the demo database. Safe to run at every start.
 * Environment: ADMIN_URL (a role that may create roles and databases, on the ledger's database if that exists),
 * LEDGER_DATABASE (default `mayfly`), PASSWORDS_FILE (JSON, role → password).
 */
import { readFile } from 'node:fs/promises';
import pg from 'pg';

const { ADMIN_URL, LEDGER_DATABASE = 'mayfly', PASSWORDS_FILE } = process.env;
const sql = (file) => readFile(new URL(file, import.meta.url), 'utf8');

/** Runs `work` with a connection to one database of the server and closes it. */
async function connected(database, work) {
  const url = new URL(ADMIN_URL);
  if (database) url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function makeDatabase(client, name) {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
}

await connected(undefined, async (client) => {
  await client.query(await sql('roles.sql'));
  for (const [role, password] of Object.entries(JSON.parse(await readFile(PASSWORDS_FILE, 'utf8')))) {
    await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} PASSWORD ${pg.escapeLiteral(password)}`);
  }
  await makeDatabase(client, LEDGER_DATABASE);
  await makeDatabase(client, 'orders');
});
await connected(LEDGER_DATABASE, async (client) => client.query(await sql('ledger.sql')));
await connected('orders', async (client) => client.query(await sql('orders.sql')));

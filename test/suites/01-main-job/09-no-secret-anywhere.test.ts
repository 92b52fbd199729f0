import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '@mayfly/postgres';
import { REPORTER, REPORTING, until, World } from '../../world/world.js';

let world: World;
let ledger: Database;
beforeAll(async () => {
  world = await World.open();
  ledger = openDatabase({ url: world.dev.postgres.url, applicationName: 'canary' });
}, 60_000);
afterAll(async () => {
  await ledger?.close();
  await world?.close();
});

/** The forms in which a secret could lie somewhere. */
const forms = (secret: string): string[] => {
  const bytes = Buffer.from(secret);
  // Base64 of a text inside another text depends on where it begins: the middle part of each of the three alignments.
  const aligned = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [
    secret,
    bytes.toString('hex'),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    ...aligned,
    ...aligned.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
};

test('[bad 76] no secret, token, accessor or lease id is in any topic, span, log, metric or table', async () => {
  const taskId = await world.start(
    ['orders-db.read', { name: 'write', capability: 'orders-db.write' }, 'service.cert', 'bastion.ssh', 'payload.key'],
    {
      data: { intent: { purpose: 'canary', plan: [{ tool: 'sql', action: 'write', resource: 'orders' }] } },
    },
  );
  const reportId = await world.start('reports.kv', { data: REPORTING });
  const bearer = await world.agentToken();
  const secrets: string[] = [bearer.split('.')[2]!];
  for (const name of ['orders-db', 'write', 'service', 'bastion', 'payload']) {
    const { data } = await world.agent().secret(taskId, name, { waitSeconds: 20 });
    secrets.push(
      ...['password', 'privateKey', 'plaintext'].flatMap((key) => (typeof data[key] === 'string' ? secretLines(data[key]) : [])),
    );
  }
  const report = await world.agent(REPORTER).secret(reportId, 'reports', { waitSeconds: 20 });
  secrets.push(...Object.values(report.data).filter((value): value is string => typeof value === 'string' && value.length >= 12));
  const names = await ledger.run<{ token_accessor: string; vault_lease_id: string | null; sealed_token: string }>(
    '',
    `select g.token_accessor, g.sealed_token, l.vault_lease_id from ledger.task_grant g left join ledger.lease l on l.grant_id = g.id where g.task_id = any($1)`,
    [[taskId, reportId]],
  );
  // Accessors and lease ids act as capabilities: they have their columns in the ledger, and no other place.
  const handles = names.flatMap((row) => [row.token_accessor, row.vault_lease_id].filter((value): value is string => value !== null));
  expect(secrets.length).toBeGreaterThan(5);
  expect(handles.length).toBeGreaterThan(4);

  await world.ask(`/v1/tasks/${taskId}/secrets/orders-db?access_token=${bearer}`, { agent: REPORTER });
  await world.end(taskId);
  await world.end(reportId);
  await world.event(taskId, 'credential.revoked');
  await world.event(reportId, 'grant.closed');
  await until('its evidence was published', () =>
    world.events.some(
      (event) =>
        event.topic === 'mayfly.evidence' && event.data['kind'] === 'dev.mayfly.grant.closed.v1' && event.data['taskId'] === reportId,
    )
      ? true
      : undefined,
  );

  const places = { ...(await topics()), ...(await telemetry()), ...logs(), ...(await tables()) };
  const found: string[] = [];
  for (const [place, text] of Object.entries(places)) {
    for (const value of [...secrets, ...(OWN_HANDLES.test(place) ? [] : handles)]) {
      for (const form of forms(value)) if (form.length >= 8 && text.includes(form)) found.push(`${place} holds a secret`);
    }
  }
  expect([...new Set(found)]).toEqual([]);
  expect(Object.keys(places).length).toBeGreaterThan(20);
  // The search itself works: what is allowed to be there is found.
  expect(places['topic mayfly.credentials']).toContain(taskId);
  expect(places['table ledger.task_grant']).toContain(names[0]!.token_accessor);
}, 120_000);

/** Where accessors and lease ids belong: the ledger's own columns, and the log of Vault, whose they are. */
const OWN_HANDLES = /^(table ledger\.|log openbao)/;

/** Each line of a PEM by itself, since line ends are written in many ways. */
const secretLines = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.length >= 16 && !line.startsWith('-----'))
    .slice(0, 4);

async function topics(): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const record of world.records) {
    const headers = JSON.stringify(record.headers);
    texts[`topic ${record.topic}`] =
      `${texts[`topic ${record.topic}`] ?? ''}\n${record.key} ${headers} ${record.value.toString()} ${inflated(record.value)}`;
  }
  return texts;
}

const inflated = (value: Buffer): string => {
  try {
    return gunzipSync(value).toString();
  } catch {
    return '';
  }
};

async function telemetry(): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  const traces = await fetch(`${world.dev.zipkin.url}/api/v2/traces?limit=1000&lookback=3600000`);
  texts['spans'] = await traces.text();
  for (const service of ['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console']) {
    texts[`metrics of ${service}`] = await (await fetch(`http://127.0.0.1:${world.dev.ports[service]}/metrics`)).text();
  }
  return texts;
}

function logs(): Record<string, string> {
  const files = readdirSync(world.dev.logs).filter((name) => name.endsWith('.log'));
  return Object.fromEntries(files.map((name) => [`log ${name}`, readFileSync(join(world.dev.logs, name), 'utf8')]));
}

async function tables(): Promise<Record<string, string>> {
  const list = await ledger.run<{ name: string }>(
    '',
    `select schemaname || '.' || tablename as name from pg_tables where schemaname in ('ledger', 'evidence', 'policy')`,
  );
  const texts: Record<string, string> = {};
  for (const { name } of list) {
    const rows = await ledger.run<{ row: string }>('', `select t::text as row from ${name} t`);
    texts[`table ${name}`] = rows.map(({ row }) => row).join('\n');
  }
  return texts;
}

/** No decision, no secret: a delivery whose decider is elsewhere, in the running system, while that decider breaks in every way. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
// @ts-expect-error plain JavaScript without types
import { layout } from '../../../deploy/local/layout.mjs';
// @ts-expect-error plain JavaScript without types
import { freePort } from '../../../deploy/local/ports.mjs';
// @ts-expect-error plain JavaScript without types
import { startService } from '../../../deploy/local/services.mjs';
import { until, World } from '../../world/world.js';

let world: World;
let home: string;
let pdp: Server;
let delivery: { port: number; stop(): Promise<void> };
let respond: (response: ServerResponse) => void;
let asked: { subject: { id: string }; action: { name: string }; resource: { id: string } }[] = [];

const json = (status: number, body: unknown) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const permit = json(200, { decision: true, context: { policies: ['elsewhere'] } });

beforeAll(async () => {
  world = await World.open();
  home = mkdtempSync(join(tmpdir(), 'mayfly-elsewhere-'));
  pdp = createServer((request, response) => {
    let body = '';
    request
      .on('data', (chunk) => (body += chunk))
      .on('end', () => {
        asked.push(JSON.parse(body));
        respond(response);
      });
  });
  const port = await new Promise<number>((listening) => pdp.listen(0, '127.0.0.1', () => listening((pdp.address() as AddressInfo).port)));
  delivery = await deliveryThatAsks(`http://127.0.0.1:${port}/access/v1/evaluation`);
}, 60_000);
afterAll(async () => {
  await delivery?.stop();
  pdp?.closeAllConnections();
  pdp?.close();
  rmSync(home, { recursive: true, force: true });
  await world?.close();
});

/** Another replica of delivery beside the stack's own, on the same ledger and Vault, with a decider elsewhere. */
async function deliveryThatAsks(url: string): Promise<typeof delivery> {
  const { dev } = world;
  const stack = (...path: string[]): string => join(dev.home, ...path);
  const passwords = JSON.parse(readFileSync(stack('keys', 'database-roles.json'), 'utf8')) as Record<string, string>;
  const databaseUrl = (role: string): string => {
    const at = new URL(dev.postgres.url);
    return Object.assign(at, { username: role, password: passwords[role]! }).href;
  };
  const name = 'delivery-elsewhere';
  Object.assign(process.env, { MAYFLY_DECIDER: 'authzen', MAYFLY_PDP_URL: url, MAYFLY_PDP_TIMEOUT_MILLISECONDS: '3000' });
  try {
    return (await startService(
      { name, service: 'delivery' },
      {
        dirs: { ...layout(home), svid: stack('svid') },
        ports: { [name]: await freePort() },
        wires: { through: (_: string, address: string) => address },
        kafka: dev.kafka,
        vault: dev.vault,
        databaseUrl,
        tracing: { environment: {} },
        settings: {
          trust: stack('config', 'trust.json'),
          policyKeys: stack('config', 'policy-keys.json'),
          targets: { delivery: stack('config', 'targets.delivery.json') },
        },
        log: () => undefined,
      },
    )) as typeof delivery;
  } finally {
    for (const key of ['MAYFLY_DECIDER', 'MAYFLY_PDP_URL', 'MAYFLY_PDP_TIMEOUT_MILLISECONDS']) delete process.env[key];
  }
}

/** A fetch at that replica. */
async function fetchElsewhere(taskId: string, name: string) {
  const answer = await fetch(`http://127.0.0.1:${delivery.port}/v1/tasks/${taskId}/secrets/${name}`, {
    headers: { authorization: `Bearer ${await world.agentToken()}` },
  });
  return { status: answer.status, body: (await answer.json()) as any };
}

describe('a decider elsewhere', () => {
  test('decides: by its permit a secret leaves, by its deny none; the stack’s own policies are not asked', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    respond = json(200, { decision: false, context: { policies: ['not-today'] } });
    const refused = await fetchElsewhere(taskId, 'orders-db');
    expect(refused).toMatchObject({ status: 403, body: { code: 'denied' } });
    respond = permit;
    asked = [];
    const { status, body } = await fetchElsewhere(taskId, 'orders-db');
    expect(status).toBe(200);
    expect(asked).toMatchObject([
      { subject: { id: 'spiffe://example.org/agent/etl' }, action: { name: 'fetch' }, resource: { id: 'orders-db.read' } },
    ]);
    expect(await world.isRefused(body.data)).toBe(false);
  });

  test('that breaks gives nothing away, however it breaks, and everything again once it is mended', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    const denials: string[] = [];
    const ways: [string, (response: ServerResponse) => void][] = [
      ['pdp-unavailable', () => undefined],
      ['pdp-unavailable', json(500, { decision: true })],
      ['pdp-unavailable', (response) => void response.writeHead(200).end('<html>')],
      ['pdp-unavailable', (response) => void response.destroy()],
      ['evaluation-error', json(200, { decision: 'true' })],
      ['evaluation-error', json(200, { decision: true, context: { obligations: [{ id: '1', type: 'step-up' }] } })],
    ];
    for (const [reason, way] of ways) {
      respond = way;
      const refused = await fetchElsewhere(taskId, 'orders-db');
      expect(refused).toMatchObject({ status: 403, body: { code: 'denied' } });
      denials.push(`${refused.body.decisionId} ${reason}`);
    }
    // Each is in the evidence with its reason.
    const recorded = async (): Promise<string[]> =>
      ((await world.operate(`/v1/tasks/${taskId}/evidence`)).body.records as any[])
        .filter(({ kind }) => kind === 'dev.mayfly.evidence.fetch-denied.v1')
        .map(({ data }) => `${data.decisionId} ${data.reasons[0]}`);
    const all = async (): Promise<string[] | undefined> => {
      const found = await recorded();
      return found.length < denials.length ? undefined : found;
    };
    expect(await until('all denials are in the evidence', all)).toEqual(denials);

    respond = permit;
    expect((await fetchElsewhere(taskId, 'orders-db')).status).toBe(200);
  });
});

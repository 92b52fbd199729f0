import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { verifyChain, type EvidenceRecord } from '@mayfly/evidence-log';
import { openDatabase } from '@mayfly/postgres';
import { ETL, until, World } from '../../world/world.js';

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

const wholeLog = async (): Promise<EvidenceRecord[]> => {
  const records: EvidenceRecord[] = [];
  for (;;) {
    const { body } = await world.operate(`/v1/evidence?from=${records.length}&limit=1000`, { as: 'viewer' });
    records.push(...(body.records as EvidenceRecord[]));
    if (body.records.length < 1000) return records;
  }
};

describe('operators', () => {
  test('see a task’s whole life in order, and no secret of it', async () => {
    const taskId = await world.start(['orders-db.read', { name: 'owner', capability: 'orders-db.owner' }]);
    await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    await world.ask(`/v1/tasks/${taskId}/secrets/orders-db`, { agent: 'spiffe://example.org/agent/reporter' });
    const timeline = () => world.operate(`/v1/tasks/${taskId}/timeline`, { as: 'viewer' });
    // Another workload is answered before its refusal is written, as it would be for a task that is not there.
    await until('the refusal is written', async () => JSON.stringify((await timeline()).body).includes('fetch-refused'));
    await world.end(taskId);
    await world.event(taskId, 'grant.closed');
    const { status, body } = await timeline();
    expect(status).toBe(200);
    const kinds = (body.entries as { kind: string }[]).map(({ kind }) => kind.replace('dev.mayfly.', '').replace('.v1', ''));
    const order = [
      'evidence.task-requested',
      'grant.issued',
      'evidence.mint-intended',
      'credential.issued',
      'credential.delivered',
      'evidence.fetch-refused',
      'evidence.task-ended',
      'credential.revocation-requested',
      'credential.revoked',
      'grant.closed',
    ];
    expect(kinds.filter((kind) => order.includes(kind))).toEqual(order);
    expect(body.grant).toMatchObject({ taskId, state: 'closed', agent: ETL, initiator: { id: 'alice@example.org' } });
    const { body: found } = await world.operate(`/v1/grants?agent=${encodeURIComponent(ETL)}&state=closed&limit=200`, { as: 'viewer' });
    expect(found.grants.some((grant: { taskId: string }) => grant.taskId === taskId)).toBe(true);
  });

  test('need a token and a role', async () => {
    expect((await fetch(`${world.dev.console.url}/v1/grants`)).status).toBe(401);
    const agent = await fetch(`${world.dev.console.url}/v1/grants`, { headers: { authorization: `Bearer ${await world.agentToken()}` } });
    expect(agent.status).toBe(403);
    const body = JSON.stringify({ selector: { taskId: 'x' }, reason: 'test' });
    expect((await world.operate('/v1/revocations', { method: 'POST', body, as: 'viewer' })).status).toBe(403);
    expect((await world.operate('/v1/grants?unknown=1', { as: 'viewer' })).status).toBe(400);
    expect((await world.operate('/v1/grants?cursor=forged', { as: 'viewer' })).status).toBe(400);
  });

  test('page through grants', async () => {
    const ids = new Set<string>();
    for (let i = 0; i < 3; i += 1) ids.add(await world.start('orders-db.read', { data: { workflow: { name: 'nightly-etl' } } }));
    for (const taskId of ids) await world.event(taskId, 'credential.issued');
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await world.operate(`/v1/grants?state=granted&limit=2${cursor && `&cursor=${cursor}`}`, { as: 'viewer' });
      seen.push(...body.grants.map((grant: { taskId: string }) => grant.taskId));
      cursor = body.cursor ?? '';
    } while (cursor);
    expect(new Set(seen).size).toBe(seen.length);
    for (const taskId of ids) expect(seen).toContain(taskId);
    for (const taskId of ids) await world.end(taskId);
  });

  test('end a task by the kill switch, after a dry run that ends nothing', async () => {
    const taskId = await world.start('orders-db.read');
    const { data } = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
    const ask = (dryRun: boolean) =>
      world.operate('/v1/revocations', {
        method: 'POST',
        body: JSON.stringify({ selector: { taskId }, reason: 'test', dryRun }),
        as: 'operator',
      });
    expect(await ask(true)).toMatchObject({ status: 202, body: { dryRun: true, count: 1, tasks: [taskId] } });
    expect(await world.isRefused(data)).toBe(false);
    expect(await ask(false)).toMatchObject({ body: { dryRun: false, count: 1 } });
    expect((await world.event(taskId, 'credential.revoked')).data).toMatchObject({ cause: 'operator' });
    expect(await world.isRefused(data)).toBe(true);
  });
});

describe('evidence', () => {
  test('is one chain from the first record to the head, and an edited row is found', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    await world.end(taskId);
    await world.event(taskId, 'grant.closed');
    const index = await until('it is in the log', async () => {
      const { body } = await world.operate(`/v1/tasks/${taskId}/evidence`, { as: 'viewer' });
      return (body.records as EvidenceRecord[]).find(({ kind }) => kind === 'dev.mayfly.credential.revoked.v1')?.index;
    });
    expect(verifyChain(await wholeLog())).toBeUndefined();
    const { body: head } = await world.operate('/v1/checkpoint', { as: 'viewer' });
    expect(head).toMatchObject({ size: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) });

    const owner = openDatabase({ url: world.dev.postgres.url, applicationName: 'insider' });
    try {
      const edit = (cause: string) =>
        owner.run('', `update evidence.log set data = jsonb_set(data, '{cause}', to_jsonb($2::text)) where index = $1`, [index, cause]);
      await edit('expired');
      expect(verifyChain(await wholeLog())).toEqual({ index, problem: 'content-changed' });
      await edit('task_ended');
      expect(verifyChain(await wholeLog())).toBeUndefined();
    } finally {
      await owner.close();
    }
  });
});

test('every service says that it is alive and ready, and gives its metrics', async () => {
  for (const service of ['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console']) {
    const at = (path: string) => fetch(`http://127.0.0.1:${world.dev.ports[service]}${path}`);
    expect({ service, health: (await at('/healthz')).status, ready: (await at('/readyz')).status }).toEqual({
      service,
      health: 200,
      ready: 200,
    });
    const metrics = await at('/metrics');
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await metrics.text()).toMatch(/# TYPE/);
  }
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until, World } from '../../world/world.js';

interface Span {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly localEndpoint: { readonly serviceName: string };
  readonly tags?: Readonly<Record<string, string>>;
}

let world: World;
beforeAll(async () => {
  world = await World.open();
}, 60_000);
afterAll(() => world?.close());

const spansOf = async (traceId: string): Promise<Span[]> => {
  const answer = await fetch(`${world.dev.zipkin.url}/api/v2/trace/${traceId}`);
  return answer.ok ? ((await answer.json()) as Span[]) : [];
};

test('one trace leads from the orchestrator’s start event to the last revocation, through every service, and is found by the task id', async () => {
  const traceId = randomBytes(16).toString('hex');
  const taskId = world.newTaskId('traced');
  // It asks before its task is heard of, and joins the trace all the same.
  const early = world.agent().secret(taskId, 'orders-db', { waitSeconds: 20 });
  await world.start('orders-db.read', { taskId, traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` });
  const secret = await early;
  await world.end(taskId);
  const revoked = await world.event(taskId, 'credential.revoked');
  await world.event(taskId, 'grant.closed');
  expect(revoked.traceparent).toContain(traceId);

  const wanted = [
    'process mayfly.tasks',
    'mayfly.decide',
    'mayfly.task_token.create',
    'mayfly.mint',
    'send mayfly.credentials',
    'mayfly.deliver',
    'send mayfly.evidence',
    'mayfly.revoke',
    'mayfly.confirm',
    'mayfly.probe',
    'send mayfly.revocations',
  ];
  const spans = await until(
    'all spans are in Zipkin',
    async () => {
      const found = await spansOf(traceId);
      return wanted.every((name) => found.some((span) => span.name === name)) ? found : undefined;
    },
    40,
  );
  expect(new Set(spans.map((span) => span.localEndpoint.serviceName))).toEqual(
    new Set(['issuer', 'delivery', 'revoker', 'evidence'].filter((name) => spans.some((span) => span.localEndpoint.serviceName === name))),
  );
  for (const service of ['issuer', 'delivery', 'revoker', 'evidence'])
    expect(spans.map((span) => span.localEndpoint.serviceName)).toContain(service);
  // Vault's calls are there, each by its path template.
  const vault = spans.filter((span) => span.name.startsWith('vault '));
  expect(vault.map((span) => span.name)).toEqual(expect.arrayContaining(['vault auth/token/create/{role}', 'vault sys/leases/revoke']));

  const bySearch = await until('the task id finds the trace', async () => {
    const answer = await fetch(
      `${world.dev.zipkin.url}/api/v2/traces?annotationQuery=${encodeURIComponent(`mayfly.task.id=${taskId}`)}&limit=10&lookback=3600000`,
    );
    const traces = (await answer.json()) as Span[][];
    return traces.some((trace) => trace[0]?.traceId === traceId) ? true : undefined;
  });
  expect(bySearch).toBe(true);
  const text = JSON.stringify(spans);
  for (const value of [secret.data['password'], 'hvs.', 's.ey']) expect(text).not.toContain(String(value));
}, 90_000);

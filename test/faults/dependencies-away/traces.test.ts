import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Faults, figure } from '../../world/faults.js';
import { until, World } from '../../world/world.js';

let world: World;
let faults: Faults;
beforeAll(async () => {
  world = await World.open();
  faults = new Faults(world.dev);
  await faults.mend();
}, 120_000);
afterEach(() => faults.mend(), 120_000);
afterAll(async () => {
  await faults?.close();
  await world?.close();
});

const FETCHES = 60;
const lost = (): Promise<number> => faults.metric('delivery', 'mayfly_telemetry_spans_lost_total');

/** How long fetches of one copy take, worst but one, in milliseconds. */
async function slowest(): Promise<number> {
  const taskId = await world.start('orders-db.read');
  await world.event(taskId, 'credential.issued');
  const took: number[] = [];
  for (let i = 0; i < FETCHES; i += 1) {
    const since = performance.now();
    expect((await world.ask(`/v1/tasks/${taskId}`)).status).toBe(200);
    took.push(performance.now() - since);
  }
  await world.end(taskId);
  await world.event(taskId, 'grant.closed');
  return took.toSorted((a, b) => b - a)[1] ?? 0;
}

test.each<[string, () => Promise<void>]>([
  ['is gone', () => faults.wire('zipkin').cut()],
  ['never answers', () => faults.wire('zipkin').hang()],
  ['is slow', () => faults.wire('zipkin').slow(4_000)],
])(
  'a trace store that %s is not felt; what it misses is counted, and what comes later arrives',
  async (how, breakIt) => {
    const usual = await slowest();
    const before = await lost();
    await breakIt();
    const then = await slowest();
    expect(then).toBeLessThan(Math.max(usual * 3, 250));
    if (how !== 'is slow')
      await until(
        'lost spans are counted',
        async () => {
          await world.ask('/v1/tasks/any');
          return (await lost()) > before ? true : undefined;
        },
        60,
      );
    const missed = (await lost()) - before;
    await faults.mend();
    const taskId = await world.start('orders-db.read');
    const issued = await world.event(taskId, 'credential.issued');
    await until(
      'a new trace arrives',
      async () => {
        const [, traceId] = issued.traceparent?.split('-') ?? [];
        const answer = await fetch(`${world.dev.zipkin.url}/api/v2/trace/${traceId}`);
        return answer.ok ? true : undefined;
      },
      45,
    );
    await world.end(taskId);
    figure(
      `${how}: slowest but one of ${FETCHES} requests ${Math.round(usual)} ms before, ${Math.round(then)} ms then; ${missed} spans of delivery lost`,
    );
  },
  180_000,
);

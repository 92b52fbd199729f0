import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { refused, startWorld, type Route } from './world.js';

const SECRET = {
  taskId: 'etl-1',
  name: 'orders',
  capability: 'orders-db.read',
  data: { username: 'u', password: 'hunter2', port: 5432 },
  leaseRef: 'l1',
};
const GRANTED = {
  taskId: 'etl-1',
  grant: { taskId: 'etl-1', state: 'granted', agent: 'spiffe://example.org/agent/etl', credentials: [] },
  entries: [],
};
let world: Awaited<ReturnType<typeof startWorld>>;
afterEach(() => world.close());
const setup = async (secret: Route = () => SECRET, timeline: Route = () => GRANTED) => {
  world = await startWorld({ 'GET /v1/tasks/etl-1/secrets/orders': secret, 'GET /v1/tasks/etl-1/timeline': timeline });
};
const subject = (): unknown => decodeJwt(world.asked.find(({ path }) => path.includes('/secrets/'))?.authorization?.slice(7) ?? '').sub;

describe('fetch', () => {
  it("asks as the task's own agent when nobody else is named", async () => {
    await setup();
    const { code, out, err } = await world.run(['fetch', 'etl-1', 'orders']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe('username  u\npassword  hunter2\nport      5432\nlease     l1\n');
    expect(subject()).toBe('spiffe://example.org/agent/etl');
  });

  it('asks as the agent that is named, without asking anybody about the task', async () => {
    await setup();
    await world.run(['fetch', 'etl-1', 'orders', '--agent', 'spiffe://example.org/agent/reporter']);
    expect(subject()).toBe('spiffe://example.org/agent/reporter');
    expect(world.asked).toHaveLength(1);
  });

  it('asks with a token from the environment', async () => {
    await setup();
    await world.run(['fetch', 'etl-1', 'orders'], { env: { MAYFLY_TOKEN: 'mine' } });
    expect(world.asked.map(({ authorization }) => authorization)).toEqual(['Bearer mine']);
  });

  it('prints one field, or JSON, for scripts', async () => {
    await setup();
    expect((await world.run(['fetch', 'etl-1', 'orders', '--field', 'password'])).out).toBe('hunter2\n');
    expect(JSON.parse((await world.run(['fetch', 'etl-1', 'orders', '--json'])).out)).toEqual(SECRET);
    expect(await world.run(['fetch', 'etl-1', 'orders', '--field', 'nope'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('it has username, password, port'),
    });
  });

  it('says by code and decision why it was refused', async () => {
    await setup(() => refused(403, 'denied', { decisionId: 'd7' }));
    expect(await world.run(['fetch', 'etl-1', 'orders'])).toEqual({
      code: 1,
      out: '',
      err: 'mayfly: this is denied (denied, decision d7)\n',
    });
  });

  it('waits for a task that nobody has heard of yet', async () => {
    let asked = 0;
    await setup(undefined, () => ((asked += 1) < 3 ? refused(404, 'task-not-found') : GRANTED));
    expect(await world.run(['fetch', 'etl-1', 'orders'])).toMatchObject({ code: 0 });
    expect(asked).toBe(3);
  });
});

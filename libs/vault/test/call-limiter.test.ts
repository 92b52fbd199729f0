import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Secret } from '@mayfly/domain';
import { metricsText } from '@mayfly/telemetry';
import { CallLimiter } from '../src/call-limiter.js';
import { VaultClient } from '../src/client.js';
import { stubServer, type Reply, type StubServer } from './stub-server.js';

/** A call that lasts until it is told to end. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { work: () => promise, end: resolve, fail: reject };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

afterEach(() => void jest.useRealTimers());

describe('calls in flight', () => {
  it('are never more than the limit; the others wait in line, and claims see no room meanwhile', async () => {
    const limiter = new CallLimiter(2);
    const calls = [held(), held(), held()];
    const done: number[] = [];
    const running = calls.map((call, index) => limiter.run(call.work).then(() => done.push(index)));
    expect([limiter.inFlight, limiter.waiting, limiter.room()]).toEqual([2, 1, 0]);
    calls[1]!.end();
    await turn();
    expect([limiter.inFlight, limiter.waiting, limiter.room()]).toEqual([2, 0, 0]);
    calls[0]!.end();
    calls[2]!.end();
    await Promise.all(running);
    expect([limiter.inFlight, limiter.waiting, limiter.room()]).toEqual([0, 0, 2]);
    expect(done).toEqual([1, 0, 2]);
  });

  it('are shown', async () => {
    const limiter = new CallLimiter(7);
    limiter.show();
    const call = held();
    const running = limiter.run(call.work);
    const { body } = await metricsText();
    expect(body).toMatch(/mayfly_vault_calls_in_flight(\{.*\})? 1\n/);
    expect(body).toMatch(/mayfly_vault_calls_waiting(\{.*\})? 0\n/);
    expect(body).toMatch(/mayfly_vault_calls_limit(\{.*\})? 7\n/);
    call.end();
    await running;
  });

  it('free their place when they fail', async () => {
    const limiter = new CallLimiter(1);
    await expect(limiter.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(limiter.room()).toBe(1);
  });
});

describe('who waits', () => {
  it('waits no longer than five seconds, and is told to come again', async () => {
    jest.useFakeTimers();
    const limiter = new CallLimiter(1);
    const call = held();
    void limiter.run(call.work);
    const late = limiter.run(() => Promise.resolve('never'));
    const refused = expect(late).rejects.toMatchObject({ code: 'vault-unavailable', retriable: true });
    await jest.advanceTimersByTimeAsync(5_000);
    await refused;
    expect(limiter.waiting).toBe(0);
    call.end();
  });

  it('is refused at once when the line is long already: memory stays bounded', async () => {
    const limiter = new CallLimiter(1);
    const call = held();
    const all = Array.from({ length: 9 }, () => limiter.run(call.work));
    await expect(limiter.run(call.work)).rejects.toMatchObject({ code: 'vault-unavailable' });
    call.end();
    await Promise.all(all);
  });
});

describe('an overload', () => {
  it('halves the limit once per second, never below one call; successes widen it to the maximum again', async () => {
    jest.useFakeTimers();
    const limiter = new CallLimiter(32);
    limiter.overloaded();
    limiter.overloaded();
    expect(limiter.limit).toBe(16);
    for (let i = 0; i < 10; i += 1) {
      jest.advanceTimersByTime(1_000);
      limiter.overloaded();
    }
    expect(limiter.limit).toBe(1);
    for (let i = 0; i < 2_000; i += 1) await limiter.run(() => Promise.resolve());
    expect(limiter.limit).toBe(32);
  });

  const sees = async (reply: Reply, reachesTarget = false): Promise<number> => {
    const server: StubServer = await stubServer(() => reply);
    const limiter = new CallLimiter(32);
    const client = new VaultClient(server.address, reply === 'silence' ? 200 : 5_000, limiter);
    const call = {
      method: 'POST',
      path: 'sys/leases/lookup',
      body: {},
      token: new Secret('s.x'),
      // One try: a second one might run into the deadline, which is silence.
      idempotent: false,
      reachesTarget,
    } as const;
    await client.call(call).catch(() => undefined);
    await server.stop();
    return limiter.limit;
  };

  it('is what 429, 503 and silence say', async () => {
    expect(await sees({ status: 429, body: {} })).toBe(16);
    expect(await sees({ status: 503, body: {} })).toBe(16);
    expect(await sees('silence')).toBe(16);
  });

  it('is not what a refusal, or the silence of a target behind Vault, says', async () => {
    expect(await sees({ status: 400, body: {} })).toBe(32);
    expect(await sees({ status: 500, body: {} })).toBe(32);
    expect(await sees('silence', true)).toBe(32);
  });
});

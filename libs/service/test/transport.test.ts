import { afterEach, expect, jest, test } from '@jest/globals';
import { systemClock } from '@mayfly/domain';
import type { ConsumerOptions, EventConsumer } from '@mayfly/kafka';
import { createLogger } from '@mayfly/telemetry';
import { transport, type Connections } from '../src/connections.js';

afterEach(() => {
  process.exitCode = undefined;
  jest.restoreAllMocks();
});

test('a consumer that has ended for good ends its process in good order, with code 1', () => {
  const sent = jest.spyOn(process, 'kill').mockReturnValue(true);
  let options: ConsumerOptions | undefined;
  const consumer: EventConsumer = {
    start: async () => undefined,
    stop: async () => undefined,
    progress: () => ({ alive: false, connected: false, progressMillisecondsAgo: 0 }),
  };
  const on = {
    service: 'test',
    clock: systemClock,
    topic: (name: string) => `mayfly.${name}`,
    producer: { send: async () => undefined, stop: async () => undefined },
    kafka: {
      consumer: (wanted: ConsumerOptions) => {
        options = wanted;
        return consumer;
      },
    },
    logger: createLogger({ service: 'test', destination: { write: () => undefined } }),
  } as unknown as Connections;
  const strategy = transport(on, {});
  strategy.addHandler('mayfly.tasks', async () => undefined, true);
  strategy.listen(() => undefined);
  expect(options?.groupId).toBe('mayfly-test');
  options?.onCrash(new Error('it stopped'));
  expect(sent).toHaveBeenCalledWith(process.pid, 'SIGTERM');
  expect(process.exitCode).toBe(1);
});

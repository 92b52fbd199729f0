/**
 * One service process from its first line to its last.
 * @module
 */
import type { Provider, Type } from '@nestjs/common';
import { armFailpoints } from '@mayfly/failpoints';
import { startHttp, type Liveness } from '@mayfly/http';
import { KafkaUnavailable } from '@mayfly/kafka';
import type { Listener } from '@mayfly/store';
import { createLogger, startTelemetry, type LogLevel } from '@mayfly/telemetry';
import type { Worker } from '@mayfly/worker';
import { DEV_WARNING, type Profile } from './profile.js';
import { connect, transport, type Connections, type ConnectionSettings } from './connections.js';

/** Settings that every service has. */
export interface ServiceSettings extends ConnectionSettings {
  readonly HTTP_HOST: string;
  readonly HTTP_PORT: number;
  readonly LOG_LEVEL: LogLevel;
  readonly MAYFLY_PROFILE: Profile;
  readonly MAYFLY_FAILPOINTS?: string | undefined;
}

/** What a service adds to what all of them have. */
export interface ServiceParts {
  /** Nest controllers with `@EventPattern` handlers. */
  readonly consumers?: readonly Type[];
  /** True for a service that reads a topic of which another one parks what cannot be read: one dead letter, not two. */
  readonly othersPark?: boolean;
  /** How many records of different keys are handled side by side; the consumer's own default where nothing is said. */
  readonly recordsAtOnce?: number;
  /** Nest controllers with HTTP routes. */
  readonly controllers?: readonly Type[];
  readonly providers?: readonly Provider[];
  /** How to prove who asks, where bearer tokens are not the only way. */
  readonly challenge?: string;
  readonly workers?: readonly Worker[];
  /** What to do on a ledger notification, by channel. */
  readonly wake?: Readonly<Record<string, () => void>>;
  /** Dependencies beside the ledger and Kafka. */
  readonly readiness?: Readonly<Record<string, () => Promise<unknown>>>;
  readonly close?: () => Promise<void>;
}

/**
 * Runs a service until SIGTERM or SIGINT; then lets what is under way finish, in the order transport, workers, connections.
 * A start that fails ends the process with code 1 and one line that says why.
 */
export async function runService<Settings extends ServiceSettings>(
  service: string,
  readConfig: (env: NodeJS.ProcessEnv) => Settings,
  build: (config: Settings, on: Connections) => ServiceParts | Promise<ServiceParts>,
): Promise<void> {
  let logger = createLogger({ service });
  try {
    const config = readConfig(process.env);
    logger = createLogger({ service, level: config.LOG_LEVEL });
    if (config.MAYFLY_PROFILE === 'dev') logger.warn(DEV_WARNING);
    if (config.MAYFLY_FAILPOINTS) armFailpoints(config.MAYFLY_FAILPOINTS);
    const telemetry = startTelemetry({ service, version: VERSION, env: process.env });
    const on = connect(service, config, logger);
    const parts = await build(config, on);
    const stop = await start(config, on, parts);
    logger.info('service is up', { host: config.HTTP_HOST, port: config.HTTP_PORT });
    onceAskedToEnd(async () => {
      logger.info('service ends');
      await stop();
      await telemetry.shutdown();
    });
  } catch (error) {
    logger.fatal('service cannot start', { error });
    process.exitCode = 1;
    setTimeout(() => process.exit(1), 100);
  }
}

const VERSION = '0.1.0';

async function start(config: ServiceSettings, on: Connections, parts: ServiceParts): Promise<() => Promise<void>> {
  const { database, logger, producer, relay } = on;
  const strategy = parts.consumers?.length ? transport(on, parts) : undefined;
  const workers: readonly Worker[] = [relay, ...(parts.workers ?? [])];
  const listeners: Listener[] = [
    ...on.listeners,
    ...Object.entries(parts.wake ?? {}).map(([channel, wake]) => database.listen(channel, wake)),
  ];
  const app = await startHttp({
    controllers: [...(parts.controllers ?? []), ...(parts.consumers ?? [])],
    providers: parts.providers ?? [],
    challenge: parts.challenge,
    health: {
      liveness: {
        ...Object.fromEntries(workers.map((worker) => [worker.name, () => livenessOf(worker)])),
        ...(strategy && { consumer: () => strategy.progress() ?? { alive: true, progressMillisecondsAgo: 0 } }),
      },
      readiness: {
        ledger: () => database.ping(),
        ...(strategy && { kafka: async () => connected(strategy.progress()?.connected ?? false) }),
        ...parts.readiness,
      },
    },
    logger,
    host: config.HTTP_HOST,
    port: config.HTTP_PORT,
    transport: strategy,
  });
  return async () => {
    await app.close();
    await Promise.all(workers.map((worker) => worker.stop()));
    await Promise.all(listeners.map((listener) => listener.close()));
    await parts.close?.();
    await producer.stop();
    await database.close();
  };
}

const livenessOf = (worker: Worker): Liveness => ({
  alive: worker.alive(),
  progressMillisecondsAgo: worker.progressMillisecondsAgo(),
  problem: worker.problem(),
});

async function connected(is: boolean): Promise<void> {
  if (!is) throw new KafkaUnavailable();
}

/** A second signal, or ten seconds, end the process whatever still hangs. */
function onceAskedToEnd(end: () => Promise<void>): void {
  let asked = false;
  const onSignal = (): void => {
    if (asked) process.exit(1);
    asked = true;
    setTimeout(() => process.exit(1), 9_000).unref();
    void end().then(
      () => process.exit(process.exitCode ?? 0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

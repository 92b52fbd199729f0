/** Runs the service that was written by hand beside a stack, with a topic and a table of its own in the same Kafka and PostgreSQL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';
import kafkajs from 'kafkajs';
import { root } from '../../../deploy/local/layout.mjs';
import topics from '../../../deploy/kafka/topics.json' with { type: 'json' };
import type { BenchStack } from '../bench-stack.ts';
import { rateOf } from '../side-by-side.ts';

const SERVICE = fileURLToPath(new URL('./service.ts', import.meta.url));
const PATIENCE_MS = 120_000;
const POLL_MS = 50;

/** As many as there can be. */
export const PARTITIONS = topics.partitions;

export interface ByHand {
  /** Sends the same starts as ours and waits until each has its row; starts a second. */
  start(ids: readonly string[]): Promise<number>;
  stop(): Promise<void>;
}

/** @param sideBySide partitions that are worked on at the same time; Nest and kafkajs have 1 where nothing is said */
export async function runByHand(stack: BenchStack, sideBySide: number): Promise<ByHand> {
  const name = `by-hand-${sideBySide}`;
  const topic = `${name}.tasks`;
  const { dev, home, ledger } = stack;
  const brokers = dev.kafka.brokers;
  await ledger.run('', 'create schema if not exists by_hand');
  await ledger.run(
    '',
    'create table if not exists by_hand.task (task_id text primary key, sealed_token text not null, accessor text not null, at timestamptz not null default now())',
  );
  const admin = new kafkajs.Kafka({ clientId: 'by-hand', brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: topics.partitions }], waitForLeaders: true });
  await admin.disconnect();

  const output = openSync(join(home, 'logs', `${name}.log`), 'a');
  const service = spawn(process.execPath, [await compiled()], {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      KAFKA_BROKER: brokers[0],
      VAULT_ADDR: dev.vault.address,
      VAULT_JWT_FILE: join(home, 'svid', 'issuer.jwt'),
      DATABASE_URL: dev.postgres.url,
      NAME: name,
      TOPIC: topic,
      SIDE_BY_SIDE: String(sideBySide),
    },
    stdio: ['ignore', output, output],
  });
  const ended = once(service, 'exit');

  return {
    start: (ids) =>
      rateOf(ids.length, async () => {
        const tenant = stack.tenants[0]!;
        const sent = stack.orchestrator.start(
          ids.map((id) => ({ id, tenant })),
          'reports.kv',
          topic,
        );
        const end = Date.now() + PATIENCE_MS;
        for (let done = 0; done < ids.length;) {
          if (Date.now() > end || service.exitCode !== null) throw new Error(`by hand only ${done} of ${ids.length} starts were done`);
          await pause(POLL_MS);
          const [row] = await ledger.run<{ count: number }>(
            '',
            'select count(*)::int as count from by_hand.task where task_id >= $1 and task_id <= $2',
            [ids[0], ids.at(-1)],
          );
          done = row?.count ?? 0;
        }
        await sent;
      }),
    stop: async () => {
      service.kill();
      await ended;
    },
  };
}

/** Decorators have to be compiled; where it lies decides which packages it finds. */
async function compiled(): Promise<string> {
  const { code } = await transformFile(SERVICE, { configFile: join(root, '.swcrc'), sourceMaps: false });
  const folder = join(root, '.mayfly', 'bench');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'by-hand.mjs');
  writeFileSync(file, code);
  return file;
}

/**
 * The same by hand, as somebody would write it in an afternoon: Nest's own Kafka transport, `node-vault`, and one INSERT an event. No policy, no
 * outbox, no evidence, no traces, no proof that it happens once; a crash between two lines leaves a token that nobody knows.
 */
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import nodeVault from 'node-vault';
import pg from 'pg';

const {
  KAFKA_BROKER = '',
  VAULT_ADDR = '',
  VAULT_JWT_FILE = '',
  DATABASE_URL = '',
  NAME = '',
  TOPIC = '',
  SIDE_BY_SIDE = '',
} = process.env;
const LIFE = '3600s';

const vault = nodeVault({ endpoint: VAULT_ADDR });
const database = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Started {
  readonly data: { readonly taskId: string };
}

@Controller()
class Tasks {
  @EventPattern<Record<string, Started>>(TOPIC)
  async onStarted(@Payload() { data: { taskId } }: Started): Promise<void> {
    const { auth } = (await vault.write('auth/token/create/mayfly-task', {
      policies: ['cap-task', 'cap-reports.kv'],
      ttl: LIFE,
      explicit_max_ttl: LIFE,
      renewable: false,
      no_default_policy: true,
      type: 'service',
      display_name: taskId,
      meta: { grantId: 'none', taskId, tenant: 'by-hand' },
    })) as { auth: { client_token: string; accessor: string } };
    const { data } = (await vault.write('transit/encrypt/mayfly-task-token', {
      plaintext: base64(auth.client_token),
      context: base64(taskId),
    })) as { data: { ciphertext: string } };
    await database.query('insert into by_hand.task (task_id, sealed_token, accessor) values ($1, $2, $3) on conflict do nothing', [
      taskId,
      data.ciphertext,
      auth.accessor,
    ]);
  }
}

@Module({ controllers: [Tasks] })
class ByHand {}

const jwt = readFileSync(VAULT_JWT_FILE, 'utf8').trim();
const login = (await vault.write('auth/jwt/login', { role: 'mayfly-issuer', jwt })) as { auth: { client_token: string } };
vault.token = login.auth.client_token;
const app = await NestFactory.createMicroservice<MicroserviceOptions>(ByHand, {
  transport: Transport.KAFKA,
  options: {
    client: { clientId: NAME, brokers: [KAFKA_BROKER] },
    consumer: { groupId: NAME, allowAutoTopicCreation: false },
    subscribe: { fromBeginning: true },
    // One at a time where nothing is said.
    run: { partitionsConsumedConcurrently: Number(SIDE_BY_SIDE) },
  },
  logger: ['error'],
});
await app.listen();
process.on('SIGTERM', () => process.exit(0));

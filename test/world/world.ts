/**
 * One test file's view of a running Mayfly: an orchestrator that sends events, agents that prove themselves, eyes on every topic,
 * and a way to the target itself.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createAgentClient, type AgentClient } from '@mayfly/agent-client';
import { connectKafka, type EventRecord, type Kafka, type OutgoingRecord } from '@mayfly/kafka';
import { openDatabase, type Database } from '@mayfly/postgres';
import { createLogger } from '@mayfly/telemetry';
import { importJWK, SignJWT, type JWK } from 'jose';

export const ETL = 'spiffe://example.org/agent/etl';
export const REPORTER = 'spiffe://example.org/agent/reporter';
export const SOURCE = 'urn:example:orchestrator';

export interface Dev {
  readonly kafka: { readonly brokers: string[] };
  readonly vault: { readonly address: string };
  readonly postgres: { readonly url: string };
  readonly delivery: { readonly url: string };
  readonly console: { readonly url: string };
  readonly issuer: { readonly url: string };
  readonly zipkin: { readonly url: string };
  readonly orders: { readonly host: string; readonly port: number; readonly database: string };
  readonly keys: { readonly agents: string; readonly policy: string };
  readonly home: string;
  readonly logs: string;
  readonly ports: Readonly<Record<string, number>>;
  /** Only where wires can be broken. */
  readonly wires?: { readonly url: string };
}

/** An out event as anyone on the topic reads it. */
export interface SeenEvent {
  readonly topic: string;
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly causationid?: string;
  readonly traceparent?: string;
  readonly data: Readonly<Record<string, any>>;
}

export interface StartOptions {
  readonly taskId?: string;
  readonly id?: string;
  readonly source?: string;
  readonly traceparent?: string;
  readonly binary?: boolean;
  /** CloudEvents `time`; now where nothing is said. */
  readonly time?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

const OUT = ['mayfly.credentials', 'mayfly.revocations', 'mayfly.evidence', 'mayfly.deadletter'];
const token = (bytes = 6): string => randomBytes(bytes).toString('hex');

/** Waits until something is there; fails with the description when it never comes. */
export async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined, seconds = 20): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`never happened within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function listed<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

export class World {
  readonly records: EventRecord[] = [];
  /** What the records say, but dead letters: read once, for there are ten thousands of them and each wakes whoever waits. */
  readonly events: SeenEvent[] = [];
  readonly #ofTask = new Map<string, SeenEvent[]>();
  readonly #letters = new Map<string, EventRecord[]>();
  readonly dev: Dev;
  #changed: (() => void)[] = [];
  readonly #producer: ReturnType<Kafka['producer']>;
  readonly #consumer: ReturnType<Kafka['consumer']>;
  readonly #agentKey: JWK;

  private constructor(dev: Dev, producer: ReturnType<Kafka['producer']>, consumer: ReturnType<Kafka['consumer']>, agentKey: JWK) {
    this.dev = dev;
    this.#producer = producer;
    this.#consumer = consumer;
    this.#agentKey = agentKey;
  }

  /** @param watching false for who reads no topic: everything that is read is kept */
  static async open({ watching = true } = {}): Promise<World> {
    const file = process.env['MAYFLY_DEV_JSON'];
    if (!file) throw new Error('MAYFLY_DEV_JSON is not set: the global set-up did not run');
    const dev = JSON.parse(readFileSync(file, 'utf8')) as Dev;
    const logger = createLogger({ service: 'test', level: 'fatal' });
    const kafka = connectKafka({ brokers: dev.kafka.brokers, clientId: 'test', logger });
    const producer = kafka.producer();
    const seen: ((record: EventRecord) => void)[] = [];
    const consumer = kafka.consumer({
      groupId: `test-${token()}`,
      topics: OUT,
      deadLetterTopic: 'none',
      // An onlooker parks nothing.
      producer: { send: () => Promise.resolve(), stop: () => Promise.resolve() },
      maxRecordBytes: Number.POSITIVE_INFINITY,
      onCrash: (error) => {
        throw error;
      },
      handle: (record) => {
        for (const note of seen) note(record);
        return Promise.resolve();
      },
    });
    const world = new World(dev, producer, consumer, JSON.parse(readFileSync(dev.keys.agents, 'utf8')) as JWK);
    seen.push((record) => {
      world.#note(record);
      for (const wake of world.#takeWaiting()) wake();
    });
    if (watching) await consumer.start();
    return world;
  }

  async close(): Promise<void> {
    await this.#consumer.stop();
    await this.#producer.stop();
  }

  #note(record: EventRecord): void {
    this.records.push(record);
    if (record.topic === 'mayfly.deadletter') return listed(this.#letters, record.key ?? '', record);
    const event: SeenEvent = { topic: record.topic, ...(JSON.parse(record.value.toString()) as Omit<SeenEvent, 'topic'>) };
    this.events.push(event);
    if (record.topic !== 'mayfly.evidence') listed(this.#ofTask, String(event.data['taskId']), event);
  }

  #takeWaiting(): (() => void)[] {
    const waiting = this.#changed;
    this.#changed = [];
    return waiting;
  }

  // — the orchestrator —

  newTaskId(prefix = 'test'): string {
    return `${prefix}-${token()}`;
  }

  /** Sends `task.started`; the etl agent with its read credential where nothing else is said. */
  async start(
    credentials: string | readonly (string | Readonly<Record<string, unknown>>)[] = 'orders-db.read',
    options: StartOptions = {},
  ): Promise<string> {
    const taskId = options.taskId ?? this.newTaskId();
    const asked = (typeof credentials === 'string' ? [credentials] : credentials).map((each) =>
      typeof each === 'string' ? { name: each.split('.')[0], capability: each } : each,
    );
    await this.send('dev.mayfly.task.started.v1', taskId, {
      ...options,
      data: { ...etlTask(taskId), credentials: asked, ...options.data },
    });
    return taskId;
  }

  async end(taskId: string, options: StartOptions & { outcome?: string } = {}): Promise<void> {
    await this.send('dev.mayfly.task.ended.v1', taskId, { ...options, data: { taskId, outcome: options.outcome ?? 'succeeded' } });
  }

  /** Sends one CloudEvent in structured or binary mode. */
  async send(
    type: string,
    taskId: string,
    { id = `test-${token()}`, source = SOURCE, traceparent, binary, time = new Date().toISOString(), data = {} }: StartOptions = {},
  ): Promise<string> {
    const attributes = {
      specversion: '1.0',
      id,
      source,
      type,
      time,
      subject: taskId,
      ...(traceparent && { traceparent }),
    };
    await this.produce(
      binary
        ? {
            key: taskId,
            value: JSON.stringify(data),
            headers: {
              'content-type': 'application/json',
              ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value])),
            },
          }
        : {
            key: taskId,
            value: JSON.stringify({ ...attributes, datacontenttype: 'application/json', data }),
            headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
          },
    );
    return id;
  }

  /** Writes any record at all. */
  produce(record: OutgoingRecord, topic = 'mayfly.tasks'): Promise<void> {
    return this.#producer.send(topic, [record]);
  }

  // — the agent —

  async agentToken(agent = ETL, claims: Readonly<Record<string, unknown>> = {}, key: JWK = this.#agentKey): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ sub: agent, aud: 'mayfly', iat: now, exp: now + 600, ...claims })
      .setProtectedHeader({ alg: key.alg ?? 'ES256', ...(key.kid && { kid: key.kid }) })
      .sign(await importJWK(key, key.alg ?? 'ES256'));
  }

  agent(id = ETL): AgentClient {
    return createAgentClient({ url: this.dev.delivery.url, token: () => this.agentToken(id), patienceSeconds: 0 });
  }

  /** The raw HTTP answer, for its headers and problem. */
  async ask(path: string, { agent = ETL, bearer, ...init }: RequestInit & { agent?: string; bearer?: string } = {}) {
    const answer = await fetch(`${this.dev.delivery.url}${path}`, {
      ...init,
      headers: {
        authorization: `Bearer ${bearer ?? (await this.agentToken(agent))}`,
        ...(init.body ? { 'content-type': 'application/json' } : {}),
        ...init.headers,
      },
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : undefined };
  }

  // — the operator —

  async operatorToken(name = 'admin'): Promise<string> {
    const answer = await fetch(`${this.dev.issuer.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', username: name, password: name }),
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  }

  async operate(path: string, { as = 'admin', ...init }: RequestInit & { as?: string } = {}) {
    const answer = await fetch(`${this.dev.console.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${await this.operatorToken(as)}`, ...(init.body ? { 'content-type': 'application/json' } : {}) },
    });
    return { status: answer.status, body: (await answer.json()) as any };
  }

  // — what everyone can read —

  eventsOf(taskId: string, type?: string): SeenEvent[] {
    return (this.#ofTask.get(taskId) ?? []).filter((event) => !type || event.type === `dev.mayfly.${type}.v1`);
  }

  /** Waits for an event about a task. */
  async event(taskId: string, type: string, matches: (event: SeenEvent) => boolean = () => true, seconds = 20): Promise<SeenEvent> {
    return this.#await(
      `${type} of ${taskId}; seen: ${this.eventsOf(taskId)
        .map((event) => event.type)
        .join(', ')}`,
      () => this.eventsOf(taskId, type).find(matches),
      seconds,
    );
  }

  /** Waits for the dead letter of a record with this key. */
  async deadLetter(key: string, reason?: string): Promise<EventRecord> {
    return this.#await(
      `dead letter ${reason ?? ''} of ${key}`,
      () => this.#letters.get(key)?.find((letter) => !reason || letter.headers['mayfly-reason'] === reason),
      20,
    );
  }

  async #await<T>(what: string, look: () => T | undefined, seconds: number): Promise<T> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const left = end - Date.now();
      if (left <= 0) throw new Error(`never came within ${seconds} s: ${what}`);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((wake) => this.#changed.push(wake)),
        new Promise<void>((wake) => (timer = setTimeout(wake, left))),
      ]);
      clearTimeout(timer);
    }
  }

  // — the target —

  /** Logs in to the orders database with what an agent was given. */
  login(secret: Readonly<Record<string, any>>): Database {
    const { username, password, host, port, database } = secret;
    return openDatabase({
      url: `postgres://${encodeURIComponent(String(username))}:${encodeURIComponent(String(password))}@${String(host)}:${String(port)}/${String(database)}`,
      applicationName: 'agent',
      maxConnections: 1,
    });
  }

  /** True when the target refuses this login. */
  async isRefused(secret: Readonly<Record<string, any>>): Promise<boolean> {
    const database = this.login(secret);
    try {
      await database.run('', 'select 1');
      return false;
    } catch (error) {
      return /password authentication failed|not permitted to log in|does not exist/.test(String((error as Error).message));
    } finally {
      await database.close();
    }
  }
}

/** The data of a start by the etl agent, without credentials. */
export const etlTask = (taskId: string): Readonly<Record<string, unknown>> => ({
  taskId,
  workflow: { name: 'nightly-etl', version: '7' },
  agent: { id: ETL },
  initiator: { id: 'alice@example.org', kind: 'human' },
  intent: { purpose: 'refresh the sales mart', dataClass: 'internal', plan: [{ tool: 'sql.query', action: 'read', resource: 'orders' }] },
  risk: 12,
});

/** The reporter's part of a start. */
export const REPORTING = { workflow: { name: 'reporting' }, agent: { id: REPORTER } } as const;

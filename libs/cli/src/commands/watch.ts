/**
 * `mayfly watch`
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { topicName, TOPICS } from '@mayfly/domain';
import type { EventRecord } from '@mayfly/kafka';
import type { Cli } from '../cli.js';
import { colourOf, describeData, shortKind } from '../describe-event.js';
import { known, readEndpoints } from '../endpoints.js';
import { NotSetUp } from '../errors.js';
import { anyReachable } from '../reachable.js';
import { clockTime, paint, plain } from '../show.js';
import { verb } from '../verb.js';

interface Options {
  readonly task?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** One outcome event, as far as it is shown. */
interface Outcome {
  readonly type: string;
  readonly time: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Shows grants, credentials and revocations while they happen. */
export function addWatch(program: Command, cli: Cli): void {
  verb(program, 'watch', 'show grants, credentials and revocations while they happen, until Ctrl-C', [
    'watch',
    'watch --task etl-0042 --all',
    'watch --json',
  ])
    .option('--task <taskId>', 'of this task only')
    .option('--all', 'begin with what Kafka still has, not with now')
    .action((options: Options) => watch(cli, options));
}

async function watch(cli: Cli, { task, all, json }: Options): Promise<void> {
  const since = all ? 0 : Date.now();
  const endpoints = readEndpoints(cli);
  const brokers = known(endpoints, 'brokers');
  if (!(await anyReachable(brokers))) throw new NotSetUp('no Kafka broker answers; see npx mayfly doctor');
  const [{ connectKafka }, { createLogger }] = await Promise.all([import('@mayfly/kafka'), import('@mayfly/telemetry')]);
  const kafka = connectKafka({ brokers, clientId: 'mayfly-cli', logger: createLogger({ service: 'mayfly-cli', level: 'fatal' }) });
  const topic = (name: (typeof TOPICS)[keyof typeof TOPICS]): string => topicName(endpoints.topicPrefix, name);

  await new Promise<void>((end, fail) => {
    const consumer = kafka.consumer({
      // A group of its own: everyone who watches sees everything.
      groupId: `mayfly-watch-${randomUUID()}`,
      topics: [topic(TOPICS.credentials), topic(TOPICS.revocations)],
      deadLetterTopic: topic(TOPICS.deadletter),
      producer: kafka.producer(),
      concurrency: 1,
      onCrash: fail,
      handle: (record) => {
        const outcome = record.timestamp.getTime() >= since && (task === undefined || record.key === task) ? read(record) : undefined;
        if (outcome) cli.out(`${json ? JSON.stringify(outcome) : line(outcome, cli.colour)}\n`);
        return Promise.resolve();
      },
    });
    cli.ending().addEventListener('abort', () => void consumer.stop().then(end, end), { once: true });
    consumer.start().then(() => {
      if (!json) cli.err('watching; Ctrl-C ends it\n');
    }, fail);
  });
}

/** Undefined for what is no event: somebody else's record stops nobody from watching. */
function read({ value }: EventRecord): Outcome | undefined {
  try {
    const event = JSON.parse(value.toString()) as Outcome;
    return typeof event.type === 'string' && typeof event.data === 'object' ? event : undefined;
  } catch {
    return undefined;
  }
}

const line = ({ type, time, subject, data }: Outcome, colour: boolean): string =>
  `${clockTime(time)}  ${plain(subject)}  ${paint(colour, colourOf(type), shortKind(type))}  ${describeData(data)}`.trimEnd();

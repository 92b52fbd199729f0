/** What `npm start` shows when all is ready. */
import { relative } from 'node:path';
import { OPERATORS } from './operators.mjs';

/** One screen: where everything is, who may come in, and a line to paste. */
export function screen(dev) {
  const rows = {
    delivery: `${dev.delivery.url}   agents fetch their secrets here`,
    console: `${dev.console.url}   operators; as ${Object.keys(OPERATORS).join(', ')} (the name is the password)`,
    traces: dev.zipkin.url ? `${dev.zipkin.url}   Zipkin` : 'sent to the endpoint that you named',
    kafka: `${dev.kafka.brokers.join(',')}   topics ${dev.kafka.topicPrefix}.*`,
    openbao: dev.vault.address,
    postgres: `${new URL(dev.postgres.url).host}   databases mayfly, and orders for the example`,
    identity: `${dev.issuer.url}   issues operators' tokens; SPIFFE bundle of ${dev.trustDomain}`,
    files: `${relative(process.cwd(), dev.home) || dev.home}/dev.json says all this to programs; logs/ beside it`,
  };
  return [
    '',
    '  Mayfly is up: credentials that live exactly as long as the task',
    '',
    ...Object.entries(rows).map(([name, text]) => `  ${name.padEnd(10)}${text}`),
    '',
    '  Run a task (in another terminal):',
    '    npx mayfly task start --file deploy/policies/example/tasks/etl.json',
    '  or see it all happen:',
    '    npm run demo',
    '',
    '  Ctrl-C ends everything.',
    '',
  ].join('\n');
}

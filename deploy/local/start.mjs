/** `npm start`: installs what is missing, builds, starts everything, and ends all of it on Ctrl-C or SIGTERM. Runs under Node 20+. */
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { install } from './install.mjs';
import { defaultHome, layout } from './layout.mjs';
import { claim, forget } from './pidfiles.mjs';
import { screen } from './screen.mjs';

const USAGE = `npm start [-- --fresh]

Starts Kafka, OpenBao, PostgreSQL, Zipkin and Mayfly's services on this machine. Ctrl-C ends all of it.

  --fresh   forget the data of earlier runs first
  --help    this text

Used instead of starting one: KAFKA_BROKERS, VAULT_ADDR, DATABASE_URL, OTEL_EXPORTER_OTLP_ENDPOINT or ZIPKIN_ENDPOINT.
MAYFLY_HOME moves data, keys and logs (default .mayfly); MAYFLY_CACHE moves the downloaded servers.`;

const began = Date.now();
const log = (text) => text.split('\n').forEach((line) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`));

function options() {
  try {
    return parseArgs({ options: { fresh: { type: 'boolean' }, help: { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** Aborts on the signals that mean "end", and when npm, which started us, is gone. */
function ending() {
  const controller = new AbortController();
  const end = (why) => {
    if (controller.signal.aborted) return;
    log(`${why}: ending everything …`);
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(signal));
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && end('npm is gone'), 1_000).unref();
  return controller.signal;
}

async function main({ fresh }) {
  const dirs = layout(defaultHome);
  claim(dirs.run);
  const signal = ending();
  try {
    await install({ logs: dirs.logs, log, signal });
    await build({ logs: dirs.logs, log, signal });
    // From here on packages are used that npm has just installed.
    const { startStack } = await import('./stack.mjs');
    const stack = await startStack({ home: dirs.home, fresh, log, signal });
    console.log(screen(stack.dev));
    const awake = setInterval(() => {}, 60_000);
    await new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', resolve)));
    clearInterval(awake);
    await stack.stop();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    forget(dirs.run, 'launcher');
  }
  log('all ended');
}

const chosen = options();
if (chosen.help) console.log(USAGE);
else {
  await main(chosen).then(
    () => process.exit(0),
    (error) => {
      log(error.message);
      process.exit(1);
    },
  );
}

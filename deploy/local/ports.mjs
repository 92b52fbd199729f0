/** Loopback ports: the usual ones where they are free, others where not, and the same ones again at the next start. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';

export const HOST = '127.0.0.1';

/** What each part listens on when nothing else does. */
export const usualPorts = {
  kafka: 9092,
  kafkaController: 9093,
  openbao: 8200,
  openbaoCluster: 8201,
  postgres: 5432,
  zipkin: 9411,
  delivery: 8480,
  issuer: 8481,
  revoker: 8482,
  drift: 8483,
  evidence: 8484,
  console: 8490,
  identity: 8491,
};

/** Below the range from which systems take the ports of outgoing connections, so that none of those takes it first. */
const FREE = { from: 20_000, to: 30_000 };

/** Holds a port and gives back the server that holds it; undefined when the port is taken. */
function hold(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: HOST, exclusive: true }, () => resolve(server));
  });
}

async function holdAny() {
  for (;;) {
    const server = await hold(randomInt(FREE.from, FREE.to));
    if (server) return server;
  }
}

/**
 * Chooses one free port per name. All are held until the last is chosen, so no two are the same.
 * @param {Record<string, number>} preferred name → port to try first; 0 means any
 * @returns {Promise<Record<string, number>>}
 */
export async function freePorts(preferred) {
  const held = [];
  for (const [name, port] of Object.entries(preferred)) {
    held.push([name, (port === 0 ? undefined : await hold(port)) ?? (await holdAny())]);
  }
  const chosen = Object.fromEntries(held.map(([name, server]) => [name, server.address().port]));
  await Promise.all(held.map(([, server]) => new Promise((done) => server.close(done))));
  return chosen;
}

/** One free port of the loopback interface. */
export async function freePort(preferred = 0) {
  return (await freePorts({ it: preferred })).it;
}

/**
 * The ports of a stack: those it had before, else the usual ones, else free ones.
 * @param {string} file where they are remembered
 * @param {boolean} usual false to start from free ports (a second stack beside the usual one)
 */
export async function rememberedPorts(file, usual) {
  let before = {};
  try {
    before = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // the first start
  }
  const preferred = Object.entries(usualPorts).map(([name, port]) => [name, before[name] ?? (usual ? port : 0)]);
  const ports = await freePorts(Object.fromEntries(preferred));
  writeFileSync(file, JSON.stringify(ports, null, 2));
  return ports;
}

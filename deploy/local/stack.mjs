/** All of Mayfly on this machine: real servers, real services; one call starts it, one stops it. */
import { setMaxListeners } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { provisionVault, withDatabases, withKafka, withTracing, withVault } from './backends.mjs';
import { migrate } from './databases.mjs';
import { writeDevFile } from './dev-file.mjs';
import { applyExample } from './example.mjs';
import { defaultHome, layout, root } from './layout.mjs';
import { claim, forget, reap } from './pidfiles.mjs';
import { freePort, freePorts, rememberedPorts, usualPorts } from './ports.mjs';
import * as identity from './servers/identity.mjs';
import { instances, SERVICES, startService } from './services.mjs';
import { writeSettings } from './settings.mjs';
import { direct, withWires } from './wiring.mjs';

/** Waits for all, even when one failed, so that nothing is still starting when the failure is handled. */
async function together(promises) {
  const results = await Promise.allSettled(promises);
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
  return results.map(({ value }) => value);
}

/**
 * Starts the stack of one home and waits until all of it is ready.
 * @param {object} [options]
 * @param {string} [options.home] default: MAYFLY_HOME, else the clone's `.mayfly`
 * @param {boolean} [options.services] false: only the servers they stand on
 * @param {Record<string, number>} [options.replicas] how many processes of which service; one of each by default
 * @param {string} [options.failpoints] folder in which crash tests arm failpoints, by service
 * @param {string[]} [options.spared] processes that pass no failpoints
 * @param {string[]} [options.nodeArguments] more arguments for the services' Node, such as `--cpu-prof`
 * @param {boolean} [options.fresh] true: forget all data of earlier runs
 * @param {boolean} [options.wires] true: services reach everything through Toxiproxy (wiring.mjs); `dev.wires.url` is its API, for wires.mjs
 * @param {(line: string) => void} [options.log] gets a line for all that is worth telling
 * @param {AbortSignal} [options.signal] cuts the start short: ends what was started and makes this reject
 * @returns {Promise<{ dev: object, ports: object, processes: Map, kill(name), restart(name), stop() }>} `dev` is what dev.json says
 * @throws Error when a launcher that lives has this home, or a part does not come up; nothing is left running then
 */
export async function startStack({
  home = defaultHome,
  services = true,
  replicas,
  failpoints,
  spared,
  nodeArguments,
  fresh = false,
  wires: wired = false,
  log = () => {},
  signal,
} = {}) {
  const dirs = layout(home);
  claim(dirs.run);
  const processes = new Map();
  const ending = new AbortController();
  setMaxListeners(0, ending.signal); // each process listens
  const cutShort = () => ending.abort();
  signal?.addEventListener('abort', cutShort);

  const keep = async (starting) => {
    const since = Date.now();
    const process = await starting;
    processes.set(process.name, process);
    log(`${process.name} is up (${((Date.now() - since) / 1000).toFixed(1)} s)`);
    return process;
  };
  const stop = () => end({ dirs, processes, ending });

  try {
    signal?.throwIfAborted();
    const left = await reap(dirs.run);
    if (left.length > 0) log(`ended what an earlier run had left: ${left.join(', ')}`);
    if (fresh) forgetData(dirs);
    const ports = await rememberedPorts(join(dirs.state, 'ports.json'), dirs.home === join(root, '.mayfly'));
    tellMoved(ports, dirs, log);

    const up = (server, options) => keep(server.start({ home: dirs.home, log, signal: ending.signal, ...options }));
    const wires = wired ? await withWires({ ports, up }, await freePort()) : direct;
    const world = { dirs, ports, up, wires, log, signal: ending.signal };
    const issuer = (await up(identity, { port: ports.identity })).url;
    const [kafka, vault, databases, tracing] = await together([
      withKafka(world),
      withVault(world),
      withDatabases(world),
      withTracing(world),
    ]);
    await provisionVault({ ...world, vault, orders: databases.orders });

    const parts = { ...world, kafka, vault, databases, tracing, issuer };
    const { dev, file, publish } = writeDevFile(parts);
    if (services) await startServices({ ...parts, replicas, failpoints, spared, nodeArguments, keep, devFile: file });
    publish();
    signal?.removeEventListener('abort', cutShort); // from now on there is an order to end in: stop()
    return {
      dev,
      ports,
      processes,
      stop,
      kill: (name, how) => processes.get(name).kill(how),
      restart: (name) => processes.get(name).restart(),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The console takes the example's policies while the others still wait for a policy set: they are ready only with one. */
async function startServices({ keep, databases, devFile, replicas, ...world }) {
  await migrate({ ...world, ownerUrl: databases.url('mayfly_owner') });
  const settings = writeSettings({ ...world, orders: databases.orders });
  const parts = { ...world, databaseUrl: databases.url, settings };
  const processes = instances(replicas);
  const more = processes.filter(({ name }) => !(name in world.ports)).map(({ name }) => [name, 0]);
  const ports = { ...world.ports, ...(await freePorts(Object.fromEntries(more))) };
  const starting = Object.fromEntries(processes.map((each) => [each.name, keep(startService(each, { ...parts, ports }))]));
  await together([...Object.values(starting), starting.console.then(() => applyExample({ ...world, devFile }))]);
}

/** Services first, so that none loses what it stands on while it still works; then all the rest. */
async function end({ dirs, processes, ending }) {
  rmSync(dirs.devFile, { force: true });
  await Promise.all([...processes].filter(([name]) => SERVICES.includes(name.replace(/-\d+$/, ''))).map(([, process]) => process.stop()));
  ending.abort();
  await Promise.all([...processes.values()].map((process) => process.stop()));
  forget(dirs.run, 'launcher');
}

function forgetData(dirs) {
  rmSync(dirs.state, { recursive: true, force: true });
  layout(dirs.home);
}

function tellMoved(ports, dirs, log) {
  if (dirs.home !== join(root, '.mayfly')) return;
  for (const [name, port] of Object.entries(usualPorts)) {
    if (ports[name] !== port) log(`${name} uses port ${ports[name]}, since ${port} was taken`);
  }
}

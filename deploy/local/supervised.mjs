/** One process that is kept running: started, waited for, started again when it dies, and ended for certain. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dieWithUs, forget, isGone, remember, signalGroup } from './pidfiles.mjs';
import { until } from './until.mjs';

const BACKOFF = { firstMs: 300, mostMs: 10_000, forgetAfterMs: 10_000 };
const DEATHS_AT_START = 3;

export class Supervised {
  #options;
  #child;
  #wanted = false;
  #starting = false;
  #deaths = 0;
  #gone = Promise.resolve();

  /**
   * @param {object} options
   * @param {string} options.name also names its log and pid file
   * @param {{ logs: string, run: string }} options.dirs
   * @param {string} options.command with `args`, `env` (the whole environment), `cwd`, `uid`, `gid` as for `spawn`
   * @param {() => unknown} options.ready asks whether it can be used now
   * @param {string} [options.endSignal] what ends it gently (default SIGTERM)
   * @param {number} [options.graceMs] how long it may take to end after that; then it is killed (default 10 s)
   * @param {number} [options.seconds] how long it may take to become ready (default 60)
   * @param {(line: string) => void} [options.log]
   * @param {AbortSignal} [options.signal] stops it, also while it is still starting
   */
  constructor({ log = () => {}, ...options }) {
    this.#options = { args: [], endSignal: 'SIGTERM', seconds: 60, graceMs: 10_000, log, ...options };
    options.signal?.addEventListener('abort', () => void this.stop(), { once: true });
  }

  get name() {
    return this.#options.name;
  }

  /** The process number now; undefined while it is down. */
  get pid() {
    return this.#child?.pid;
  }

  /** Starts it and waits until it is ready. Throws with the end of its log when it does not come up. */
  async start() {
    this.#options.signal?.throwIfAborted();
    this.#wanted = true;
    this.#starting = true;
    this.#deaths = 0;
    this.#launch('w');
    try {
      await this.ready();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#starting = false;
    return this;
  }

  /** Waits until it can be used (again). */
  async ready() {
    const { name, seconds, ready } = this.#options;
    const gaveUp = () => {
      if (!this.#wanted) return 'stopped';
      if (this.#starting && this.#deaths >= DEATHS_AT_START) return `it ended ${this.#deaths} times; its log ends with\n${this.#logEnd()}`;
      return undefined;
    };
    await until(() => this.#child !== undefined && ready(), { what: name, seconds, gaveUp });
  }

  /** Ends it and lets nothing start it again. Resolves when it is gone, at the latest after its grace time. */
  async stop() {
    this.#wanted = false;
    const { pid } = this;
    if (pid === undefined) return;
    signalGroup(pid, this.#options.endSignal);
    const patience = new AbortController();
    const late = sleep(this.#options.graceMs, undefined, { signal: patience.signal }).then(
      () => signalGroup(pid, 'SIGKILL'),
      () => undefined,
    );
    await this.#gone;
    patience.abort();
    await late;
  }

  /** Kills it as a fault would; it is started again by itself. */
  async kill(signal = 'SIGKILL') {
    const { pid } = this;
    if (pid === undefined) return;
    process.kill(pid, signal);
    if (signal === 'SIGKILL') await this.#gone;
  }

  /** Ends it gently and starts it again. */
  async restart() {
    await this.stop();
    return this.start();
  }

  #launch(flags) {
    const { name, dirs, command, args, env, cwd, uid, gid } = this.#options;
    const output = openSync(join(dirs.logs, `${name}.log`), flags, 0o600);
    // Its own process group: a terminal's Ctrl-C reaches the launcher only, which ends things in order.
    const child = spawn(command, args, { env, cwd, uid, gid, detached: true, stdio: ['ignore', output, output] });
    closeSync(output);
    const born = Date.now();
    this.#gone = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`));
    }).then((how) => this.#died(child.pid, how, Date.now() - born));
    if (child.pid === undefined) return;
    this.#child = child;
    dieWithUs(child.pid);
    remember(dirs.run, name, child.pid);
  }

  #died(pid, how, livedMs) {
    const { name, dirs, log } = this.#options;
    if (pid !== undefined) {
      signalGroup(pid, 'SIGKILL'); // what it left in its group
      isGone(pid);
    }
    this.#child = undefined;
    forget(dirs.run, name);
    if (!this.#wanted) return;
    this.#deaths = livedMs > BACKOFF.forgetAfterMs ? 1 : this.#deaths + 1;
    log(`${name} ended (${how}); starting it again`);
    void this.#revive();
  }

  async #revive() {
    await sleep(Math.min(BACKOFF.firstMs * 2 ** (this.#deaths - 1), BACKOFF.mostMs));
    if (!this.#wanted || this.#child !== undefined) return;
    const since = Date.now();
    this.#launch('a');
    await this.ready().then(
      () => this.#options.log(`${this.name} is back after ${((Date.now() - since) / 1000).toFixed(1)} s`),
      () => undefined,
    );
  }

  #logEnd() {
    return readFileSync(join(this.#options.dirs.logs, `${this.name}.log`), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(-15)
      .join('\n');
  }
}

/** A hand on the wires of a stack that was started with `wires: true`; what they are called stands in wiring.mjs. */

/**
 * @param {string} url `dev.wires.url`
 * @returns {(name: string) => Wire} `wire('kafka')`; a first part stands for all that begin with it: `wire('vault')` is every
 *   `vault.<service>`. Each verb resolves when it is done, acts on open and on new connections, and adds to what was done before;
 *   `mend()` takes all of it away.
 */
export function connectWires(url) {
  const ends = new Map(); // where wires end that were led elsewhere
  return (name) => new Wire(url, name, ends);
}

class Wire {
  #url;
  #name;
  #ends;

  constructor(url, name, ends) {
    this.#url = url;
    this.#name = name;
    this.#ends = ends;
  }

  /** Open connections are closed, new ones refused. */
  cut() {
    return this.#each((wire) => this.#call('POST', wire, { enabled: false }));
  }

  /** Each answer comes `ms` later. */
  slow(ms) {
    return this.#poison('latency', 'downstream', { latency: ms });
  }

  /** Connections open and stay open; nothing passes in either direction. */
  async hang() {
    await this.#poison('timeout', 'upstream', { timeout: 0 });
    await this.#poison('timeout', 'downstream', { timeout: 0 });
  }

  /** What is asked arrives and takes effect; the first byte of the answer breaks the connection (RST). */
  reset() {
    return this.#poison('reset_peer', 'downstream', { timeout: 0 });
  }

  /** Each connection is closed after so many bytes of answers; 0: what is asked takes effect, nothing of the answer arrives. */
  limitData(bytes) {
    return this.#poison('limit_data', 'downstream', { bytes });
  }

  /** New connections end at another port of this machine, where a test answers in the server's place; open ones are closed. */
  lead(port) {
    return this.#each(async (wire, { upstream }) => {
      if (!this.#ends.has(wire)) this.#ends.set(wire, upstream);
      await this.#call('POST', wire, { enabled: false });
      await this.#call('POST', wire, { upstream: `127.0.0.1:${port}`, enabled: true });
    });
  }

  /** As new. */
  mend() {
    return this.#each(async (wire, { toxics }) => {
      for (const toxic of toxics) await this.#call('DELETE', `${wire}/toxics/${toxic.name}`);
      const upstream = this.#ends.get(wire);
      if (upstream) await this.#call('POST', wire, { enabled: false });
      await this.#call('POST', wire, { enabled: true, ...(upstream && { upstream }) });
      this.#ends.delete(wire);
    });
  }

  #poison(type, stream, attributes) {
    return this.#each((wire) => this.#call('POST', `${wire}/toxics`, { type, stream, attributes }));
  }

  async #each(act) {
    const all = await this.#call('GET', '');
    const meant = Object.entries(all).filter(([wire]) => wire === this.#name || wire.startsWith(`${this.#name}.`));
    if (meant.length === 0) throw new Error(`no wire is called ${this.#name}; there are ${Object.keys(all).join(', ')}`);
    await Promise.all(meant.map(([wire, state]) => act(wire, state)));
  }

  async #call(method, path, body) {
    const answer = await fetch(`${this.#url}/proxies${path && `/${path}`}`, { method, ...(body && { body: JSON.stringify(body) }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}

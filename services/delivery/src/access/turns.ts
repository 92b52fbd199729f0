/** One after the other for each name. Who waits here holds no connection to the ledger, so that one busy task does not starve the others. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the work once all that came before it under this name is done, however that ended. */
  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const mine = before ? before.then(work, work) : work();
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}

/**
 * A flow is an ordered list of named steps: the architecture of a service on one screen.
 * @module
 */

/** One step. It reads and adds to what is known so far; `stop` ends the flow early, which is a normal outcome. */
export type Step<Known> = (known: Known) => Promise<'stop' | void> | 'stop' | void;

/** Runs the steps in order. Resolves to false when a step stopped it; whatever a step throws goes on to the caller. */
export const flow =
  <Known>(...steps: readonly Step<Known>[]) =>
  async (known: Known): Promise<boolean> => {
    for (const step of steps) if ((await step(known)) === 'stop') return false;
    return true;
  };

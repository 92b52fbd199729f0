/** Where a flow stops before each call of the ledger, of Vault or of the target, until a trace lets it go on. */
import { MayflyError, VaultUnavailable } from '@mayfly/domain';
import { MintRefused, RevokeFailed, SealBroken } from '@mayfly/vault';

/** What a call comes to; the model's words. */
export type Outcome = 'ok' | 'away' | 'lost' | 'forgotten' | 'refused';

/** Steps of the model that are several calls of the code: what comes next under the same name goes the same way. */
const WIDE = new Set(['find-doomed', 'strike', 'end-token', 'confirm', 'search', 'await']);

/** One flow of one worker. A crash is a gate that never opens again. */
export class Gate {
  /** The step before which the flow stands; undefined when it is over. */
  step: string | undefined;
  #open: ((outcome: Outcome) => void) | undefined;
  #waiting: Promise<Outcome> | undefined;
  #passing: { readonly step: string; readonly outcome: Outcome } | undefined;
  #halted: () => void = () => undefined;
  #failure: unknown;

  /** Starts a flow, and waits until it stands before its first step or is over. */
  async start(flow: () => Promise<unknown>): Promise<void> {
    const halt = this.#halt();
    flow().then(
      () => this.#over(),
      (error: unknown) => this.#over(error),
    );
    await halt;
  }

  /** Lets the flow do its step, and waits until it stands before the next one or is over. @throws what no port of the code throws */
  async pass(outcome: Outcome): Promise<void> {
    const open = this.#open;
    if (!open || this.step === undefined) throw new Error('the flow is over');
    const halt = this.#halt();
    this.#passing = { step: this.step, outcome };
    this.#open = this.#waiting = this.step = undefined;
    open(outcome);
    await halt;
    if (this.#failure) throw this.#failure;
  }

  /** Does a call of the code when its turn has come. */
  async call<T>(step: string, work: () => Promise<T>, forget: (result: T) => void = () => undefined): Promise<T> {
    const outcome = await this.#turn(step);
    if (outcome === 'away') throw new VaultUnavailable();
    if (outcome === 'refused') throw refusals[step]?.() ?? new MintRefused('anything');
    const result = await work();
    if (outcome === 'forgotten') forget(result);
    if (outcome !== 'ok') throw new VaultUnavailable();
    return result;
  }

  async #turn(step: string): Promise<Outcome> {
    if (this.#passing?.step === step && WIDE.has(step)) return this.#passing.outcome;
    this.step ??= step;
    if (this.step !== step) throw new Error(`${step} and ${this.step} at once`);
    this.#waiting ??= new Promise((resolve) => (this.#open = resolve));
    this.#halted();
    return this.#waiting;
  }

  #halt(): Promise<void> {
    return new Promise((resolve) => (this.#halted = resolve));
  }

  #over(error?: unknown): void {
    this.step = undefined;
    // What the code throws on purpose ends a flow in the model too; anything else is a fault of the replay or of the code.
    if (error && !(error instanceof MayflyError)) this.#failure = error;
    this.#halted();
  }
}

const refusals: Readonly<Record<string, () => Error>> = {
  open: () => new SealBroken(),
  strike: () => new RevokeFailed('a lease'),
  'end-token': () => new RevokeFailed('a task token'),
};

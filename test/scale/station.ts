/** A place where work is done: so many at once, first come first served. Vault, a target, the ledger. */
import type { Random } from '../world/random.ts';
import type { Agenda } from './agenda.ts';

export class Station {
  /** Time that its servers have worked, all together. */
  busy = 0;
  readonly #agenda: Agenda;
  readonly #random: Random;
  readonly #servers: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #isAway: (at: number) => boolean = () => false;

  constructor(agenda: Agenda, random: Random, servers: number) {
    this.#agenda = agenda;
    this.#random = random;
    this.#servers = servers;
    this.#free = servers;
  }

  get servers(): number {
    return this.#servers;
  }

  /** From one moment to another it refuses at once whatever comes. */
  awayBetween(from: number, to: number): void {
    this.#isAway = (at) => at >= from && at < to;
  }

  /** Works for about so long (exponentially distributed: calls differ, and the long ones are what others wait for). */
  serve(mean: number, done: (answered: boolean) => void): void {
    if (this.#isAway(this.#agenda.now)) return this.#agenda.in(mean, () => done(false));
    const begin = (): void => {
      const time = -mean * Math.log(1 - this.#random.next());
      this.busy += time;
      this.#agenda.in(time, () => {
        const next = this.#waiting.shift();
        if (next) next();
        else this.#free += 1;
        done(true);
      });
    };
    if (this.#free === 0) this.#waiting.push(begin);
    else {
      this.#free -= 1;
      begin();
    }
  }
}

/** A place where work is done: so many at once, first come first served. Vault, a target, the ledger. */
import type { Random } from '../world/random.ts';
import type { Agenda } from './agenda.ts';

/** From one moment to another nothing is answered: refused about as soon as it would have been done, or never, until the caller's deadline. */
export interface Away {
  readonly from: number;
  readonly to: number;
  readonly how: 'refuses' | 'hangs';
}

export class Station {
  /** Time that its servers have worked, all together. */
  busy = 0;
  readonly #agenda: Agenda;
  readonly #random: Random;
  readonly #servers: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #away: Away | undefined;

  constructor(agenda: Agenda, random: Random, servers: number) {
    this.#agenda = agenda;
    this.#random = random;
    this.#servers = servers;
    this.#free = servers;
  }

  get servers(): number {
    return this.#servers;
  }

  goesAway(away: Away): void {
    this.#away = away;
  }

  /** Works for about so long (exponentially distributed: calls differ, and the long ones are what others wait for). */
  serve(mean: number, done: (answered: boolean) => void, deadline = mean): void {
    const { now } = this.#agenda;
    // What hangs is not answered once it is back either: the connection is as dead as the call.
    if (this.#away && now >= this.#away.from && now < this.#away.to)
      return this.#agenda.in(this.#away.how === 'hangs' ? deadline : mean, () => done(false));
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

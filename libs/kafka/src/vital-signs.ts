/**
 * Whether a consumer lives. A connected client can still have stopped reading (kafkajs issue 659), so what counts is what it does.
 * @module
 */
import type { Consumer } from 'kafkajs';
import type { Progress } from './ports.js';

const CONNECTED_MILLISECONDS = 30_000;
const ALIVE_MILLISECONDS = 120_000;

/** Listens to a consumer's own events. */
export class VitalSigns {
  #lastSign: number;
  #lastFetch: number | undefined;
  #lastHeartbeat: number | undefined;

  /** @param now milliseconds of a clock that never jumps */
  constructor(
    consumer: Pick<Consumer, 'on' | 'events'>,
    private readonly now: () => number = () => performance.now(),
  ) {
    const { FETCH, HEARTBEAT, GROUP_JOIN, REBALANCING, CONNECT, DISCONNECT } = consumer.events;
    this.#lastSign = now();
    consumer.on(FETCH, () => void (this.#lastFetch = this.#lastSign = this.now()));
    // A heartbeat shows that the broker is there, not that anything is read.
    consumer.on(HEARTBEAT, () => void (this.#lastHeartbeat = this.now()));
    // While Kafka is away the client goes on trying: not connected, and yet alive.
    for (const event of [GROUP_JOIN, REBALANCING, CONNECT, DISCONNECT]) consumer.on(event, () => this.sign());
  }

  /** Notes progress. */
  sign(): void {
    this.#lastSign = this.now();
  }

  read(): Progress {
    const ago = (at: number | undefined): number => (at === undefined ? Number.POSITIVE_INFINITY : this.now() - at);
    return {
      alive: ago(this.#lastSign) < ALIVE_MILLISECONDS,
      connected: Math.min(ago(this.#lastFetch), ago(this.#lastHeartbeat)) < CONNECTED_MILLISECONDS,
      progressMillisecondsAgo: ago(this.#lastSign),
    };
  }
}

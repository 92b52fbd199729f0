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
  #lastSign = Date.now();
  #lastFetch: number | undefined;
  #lastHeartbeat: number | undefined;

  /** @param now milliseconds since the epoch */
  constructor(
    consumer: Pick<Consumer, 'on' | 'events'>,
    private readonly now: () => number = Date.now,
  ) {
    const { FETCH, HEARTBEAT, GROUP_JOIN, REBALANCING, CONNECT, DISCONNECT } = consumer.events;
    this.#lastSign = now();
    consumer.on(FETCH, () => void (this.#lastFetch = this.#lastSign = this.now()));
    consumer.on(HEARTBEAT, () => void (this.#lastHeartbeat = this.#lastSign = this.now()));
    // While Kafka is away the client goes on trying: not connected, and yet alive.
    for (const event of [GROUP_JOIN, REBALANCING, CONNECT, DISCONNECT]) consumer.on(event, () => this.sign());
  }

  /** Notes a sign of life. */
  sign(): void {
    this.#lastSign = this.now();
  }

  read(): Progress {
    const lastContact = Math.max(this.#lastFetch ?? 0, this.#lastHeartbeat ?? 0);
    return {
      alive: this.now() - this.#lastSign < ALIVE_MILLISECONDS,
      connected: this.now() - lastContact < CONNECTED_MILLISECONDS,
      lastFetchAt: this.#lastFetch === undefined ? undefined : new Date(this.#lastFetch),
      lastHeartbeatAt: this.#lastHeartbeat === undefined ? undefined : new Date(this.#lastHeartbeat),
    };
  }
}

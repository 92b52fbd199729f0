/**
 * Keeps a group membership while a batch is worked through, however long that takes.
 * @module
 */
import type { EachBatchPayload } from 'kafkajs';

/** How often a batch shows that it lives. kafkajs sends a heartbeat when one is due. */
const TICK_MILLISECONDS = 1_000;

/** The membership during one batch. */
export interface Membership {
  /** Given when nothing more of the batch may be begun: the consumer stops, or the partition may be another member's by now. */
  readonly signal: AbortSignal;
  /** Throws on why the membership was lost, so that kafkajs joins again. */
  throwIfLost(): void;
  /** Stops the heartbeats. */
  end(): void;
}

/** Starts to send heartbeats, until {@link Membership.end}. */
export function keepMembership(batch: EachBatchPayload, stopping: AbortSignal): Membership {
  const { heartbeat, isRunning, isStale } = batch;
  const ended = new AbortController();
  let lost: unknown;

  const tick = async (): Promise<void> => {
    if (!isRunning() || isStale()) return ended.abort();
    try {
      await heartbeat();
    } catch (error) {
      lost = error;
      ended.abort();
    }
  };
  const timer = setInterval(() => void tick(), TICK_MILLISECONDS);

  return {
    signal: AbortSignal.any([stopping, ended.signal]),
    throwIfLost: () => {
      if (lost !== undefined) throw lost;
    },
    end: () => clearInterval(timer),
  };
}

/**
 * Why a record is not an event that Mayfly acts on.
 * @module
 */
import { MayflyError } from '@mayfly/domain';

/** Reasons, stable: they are the `mayfly-reason` of a dead letter. */
export const REJECT_REASONS = [
  /** The record has no value. */
  'tombstone',
  /** Value or headers are over their limit. */
  'too-large',
  /** Not UTF-8, a byte order mark, half a surrogate pair, or NUL in a text. */
  'invalid-encoding',
  'not-json',
  'too-deep',
  'too-many-keys',
  /** One object has a key twice: two readers could see two different events. */
  'duplicate-keys',
  /** Keys that reach for an object's prototype. */
  'forbidden-keys',
  'invalid-cloudevent',
  'unsupported-specversion',
  /** Two places of one record say different things. */
  'contradiction',
  'unknown-type',
  'invalid-data',
  'invalid-task-id',
  /** The Kafka key is not the task id, so that the order of the task's events is not certain. */
  'key-mismatch',
  /** A start of another format that asks for no credentials: nothing to do, nothing wrong. */
  'nothing-asked',
  'time-out-of-window',
  // What only the ledger and the registrations can tell:
  /** Nobody is registered under the event's source. */
  'unregistered-source',
  /** No transmitter of security events is registered under the token's `iss`. */
  'unregistered-transmitter',
  /** Not a security event token as RFC 8417 and its profiles have it. */
  'invalid-set',
  /** The source's registration demands a signature. */
  'unsigned',
  /** A signature that proves nothing, or one over another event. */
  'bad-signature',
  /** Signed by a key that is not registered for this source. */
  'signer-not-allowed',
  /** Signed for another installation. */
  'wrong-audience',
  /** The same source and id were seen before with other content. */
  'event-conflict',
  /** A start of a task that has ended. */
  'task-ended',
  /** A second start of a task, with other content. */
  'task-conflict',
  /** An event about a task that another orchestrator started. */
  'foreign-task',
] as const;
/** Reasons that no honest orchestrator gives cause for: somebody forges, replays or meddles. They are stated as evidence. */
export const SECURITY_REASONS: readonly RejectReason[] = [
  'unsigned',
  'bad-signature',
  'signer-not-allowed',
  'wrong-audience',
  'event-conflict',
  'task-conflict',
  'foreign-task',
];
/** One of {@link REJECT_REASONS}. */
export type RejectReason = (typeof REJECT_REASONS)[number];

/** A record that can never become an event, however often it is read. Its `code` is the reason. */
export class RejectedEvent extends MayflyError {
  override readonly name = 'RejectedEvent';
  /**
   * @param reason for machines
   * @param detail a sentence for a person; it never repeats what the record holds, since that may be anything
   */
  constructor(
    readonly reason: RejectReason,
    readonly detail: string,
  ) {
    super(reason, detail, 400, false);
  }
}

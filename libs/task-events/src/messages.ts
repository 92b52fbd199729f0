/**
 * What a record becomes.
 * @module
 */
import type { EventEnvelope, TaskEnd, TaskId, TaskStart } from '@mayfly/domain';

/** Kafka headers as clients hand them over. */
export type RecordHeaders = Readonly<Record<string, string | Buffer | readonly (string | Buffer)[] | undefined>>;

/** A Kafka record as far as events need it. */
export interface EventRecord {
  readonly key: string | null;
  readonly headers: RecordHeaders;
  /** null for a tombstone. */
  readonly value: Buffer | null;
}

/** What an event about a task says, whatever format it came in. */
export type TaskContent =
  | { readonly kind: 'started'; readonly task: TaskStart }
  | { readonly kind: 'ended'; readonly end: TaskEnd }
  | { readonly kind: 'heartbeat'; readonly taskId: TaskId };

/** What a signal says. */
export type SignalContent =
  | { readonly kind: 'policy-changed'; readonly policyDigest?: string }
  | {
      readonly kind: 'risk';
      readonly subject: RiskSubject;
      /** 0 to 100, rounded up to a whole number. */
      readonly risk: number;
      readonly reason?: string;
    };

/** A security event token as it came: what it says is its transmitter's, and `openSecurityEvent` reads it. */
export interface SecurityEventMessage {
  readonly kind: 'security-event';
  /** Compact JWS. */
  readonly token: string;
}

/** Whose risk changed. */
export type RiskSubject = { readonly taskId: TaskId } | { readonly agent: string } | { readonly initiator: string };

/** Where a message comes from, and what it rests on. */
export interface Origin {
  readonly envelope: EventEnvelope;
  /**
   * `sha256:…` over the content as it was understood. Equal contents have equal digests whatever format,
   * mode, key order or unknown fields they came with; so a second event with the same identity and
   * another digest is a contradiction.
   */
  readonly digest: string;
  /** Absent where the event carries no signature. Not verified yet: `vouchFor` does that. */
  readonly signed?: Signed;
}

/** A signature as it came, and what it has to be over. */
export interface Signed {
  /** Compact JWS. */
  readonly signature: string;
  /** `sha256:…` over the RFC 8785 form of the event's data, unknown fields included. */
  readonly dataDigest: string;
}

/** An event about a task. */
export type TaskMessage = TaskContent & Origin;
/** A task started. */
export type TaskStartedMessage = Extract<TaskMessage, { kind: 'started' }>;
/** A task ended. */
export type TaskEndedMessage = Extract<TaskMessage, { kind: 'ended' }>;
/** A task gave a sign of life. */
export type TaskHeartbeatMessage = Extract<TaskMessage, { kind: 'heartbeat' }>;
/** An event that changes what decisions rest on. */
export type SignalMessage = SignalContent & Origin;
/** The risk of a task, an agent or an initiator changed. */
export type RiskSignalMessage = Extract<SignalMessage, { kind: 'risk' }>;

/**
 * From a Kafka record to a task event or a signal, or a stable reason why not.
 * @module
 */
export { checkTimeWindow, MAX_AGE_SECONDS, MAX_SKEW_SECONDS } from './check-time-window.js';
export type {
  EventRecord,
  Origin,
  RecordHeaders,
  RiskSignalMessage,
  RiskSubject,
  SecurityEventMessage,
  SignalContent,
  SignalMessage,
  TaskContent,
  TaskEndedMessage,
  TaskHeartbeatMessage,
  TaskMessage,
  TaskStartedMessage,
} from './messages.js';
export { MAX_VALUE_BYTES } from './open-record.js';
export { readSignal } from './read-signal.js';
export { readTaskEvent } from './read-task-event.js';
export { REJECT_REASONS, RejectedEvent, SECURITY_REASONS } from './rejected-event.js';
export type { RejectReason } from './rejected-event.js';
export type { EventSubject } from './event-subject.js';
export { openSecurityEvent, RISK_LEVELS, SECURITY_EVENT_TYPE } from './security-event.js';
export type { RegisteredTransmitter, SecurityEvent, SecurityEventContent } from './security-event.js';
export { signEvent } from './sign-event.js';
export type { SignableEvent } from './sign-event.js';
export { SIGNATURE_ATTRIBUTE, SIGNATURE_HEADER } from './signed-statement.js';
export { taskIdOf } from './task-id-of.js';
export { vouchFor } from './vouch-for.js';
export type { Signer, Voucher } from './vouch-for.js';

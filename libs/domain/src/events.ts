/**
 * The names on the wire (public contract, section 2).
 * @module
 */

/** Topic names without their prefix; {@link topicName} makes the real name. */
export const TOPICS = {
  tasks: 'tasks',
  signals: 'signals',
  credentials: 'credentials',
  revocations: 'revocations',
  evidence: 'evidence',
  deadletter: 'deadletter',
} as const;
/** One of Mayfly's topics. */
export type Topic = (typeof TOPICS)[keyof typeof TOPICS];
/** The Kafka name of a topic: `mayfly.tasks` for prefix `mayfly`. */
export const topicName = (prefix: string, topic: Topic): string => `${prefix}.${topic}`;

/** Event types that Mayfly takes in. */
export const IN_EVENTS = {
  taskStarted: 'dev.mayfly.task.started.v1',
  taskHeartbeat: 'dev.mayfly.task.heartbeat.v1',
  taskEnded: 'dev.mayfly.task.ended.v1',
  riskSignal: 'dev.mayfly.signal.risk.v1',
  policyChanged: 'dev.mayfly.signal.policy-changed.v1',
} as const;

/** Event types that Mayfly sends out. */
export const OUT_EVENTS = {
  grantIssued: 'dev.mayfly.grant.issued.v1',
  grantDenied: 'dev.mayfly.grant.denied.v1',
  grantPending: 'dev.mayfly.grant.pending.v1',
  grantClosed: 'dev.mayfly.grant.closed.v1',
  credentialIssued: 'dev.mayfly.credential.issued.v1',
  credentialDelivered: 'dev.mayfly.credential.delivered.v1',
  revocationRequested: 'dev.mayfly.credential.revocation-requested.v1',
  credentialRevoked: 'dev.mayfly.credential.revoked.v1',
  revocationStuck: 'dev.mayfly.credential.revocation-stuck.v1',
  policyChanged: IN_EVENTS.policyChanged,
  evidenceRecord: 'dev.mayfly.evidence.record.v1',
} as const;
/** One of the types that Mayfly sends out. */
export type OutEventType = (typeof OUT_EVENTS)[keyof typeof OUT_EVENTS];

/** Why a live credential was ended. */
export const CAUSES = [
  'task_ended',
  'expired',
  'policy_drift',
  'behaviour_drift',
  'risk_signal',
  'operator',
  'agent_release',
  'parent_ended',
  'superseded',
  'lost_heartbeat',
] as const;
/** One of {@link CAUSES}. */
export type Cause = (typeof CAUSES)[number];

/**
 * What exactly moved when a live credential was lost because the world did: said beside the cause, never in its place.
 * - `policy_set`, `catalogue`, `agent_suspended`, `agent_owner_gone`, `agent_unregistered`, `orchestrator_registration`,
 *   `initiator_offboarded`: another policy set is current (`policy_drift`); the last one may also be a signal's (`risk_signal`);
 * - `vault`: a role or policy in Vault is not what the catalogue declares (`policy_drift`);
 * - `risk`, `session_revoked`: a signal about the task, its agent or its initiator (`risk_signal`);
 * - `behaviour`: too many denied or off-plan calls (`behaviour_drift`);
 * - `parent_narrowed`: the task that it works for lost the same capability (with that one's cause).
 */
export const DRIFTS = [
  'policy_set',
  'catalogue',
  'agent_suspended',
  'agent_owner_gone',
  'agent_unregistered',
  'orchestrator_registration',
  'initiator_offboarded',
  'risk',
  'session_revoked',
  'behaviour',
  'vault',
  'parent_narrowed',
] as const;
/** One of {@link DRIFTS}. */
export type Drift = (typeof DRIFTS)[number];

/** An event on its way out. The store keeps it in the outbox; the Kafka lib makes a CloudEvent of it. */
export interface OutEvent {
  readonly id: string;
  readonly type: OutEventType;
  readonly topic: Topic;
  /** Kafka key and CloudEvents `subject`/`partitionkey`: the task id. */
  readonly key: string;
  readonly time: Date;
  readonly data: Readonly<Record<string, unknown>>;
  /** CloudEvents id of the event that caused this one. */
  readonly causationId?: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

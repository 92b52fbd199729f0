/**
 * Notification channels: a hint that there is work, never the work itself. Whoever misses one finds it by looking.
 * @module
 */
/** PostgreSQL `notify` channels. */
export const CHANNELS = {
  /** Payload: the task id whose grant or leases changed. */
  task: 'mayfly_task',
  /** The issuer has something to mint. */
  mint: 'mayfly_mint',
  /** The revoker has something to revoke. */
  revoke: 'mayfly_revoke',
  /** New facts in the intake. */
  evidence: 'mayfly_evidence',
  /** A task's behaviour was raised or lowered. */
  behaviour: 'mayfly_behaviour',
  /** Something in Vault is not what it was. */
  vault: 'mayfly_vault',
  /** Another policy set is current. */
  policy: 'mayfly_policy',
  /** Payload: the id of a new kill switch. */
  order: 'mayfly_order',
} as const;

/** The channel on which an outbox's owner hears that it has new rows; one for each, so that nobody is woken for another's. */
export const outboxChannel = (owner: string): string => `mayfly_outbox_${owner}`;

/**
 * The ledger in PostgreSQL. Functions take a connection or a transaction (`Sql`), so that what belongs together commits together.
 * @module
 */
export * from './activate-lease.js';
export * from './behaviour.js';
export * from './affected-grants.js';
export * from './breakers.js';
export { TaskChanges, announceTask, announceTasks } from './changes.js';
export { CHANNELS, outboxChannel } from './channels.js';
export * from './credentials.js';
export * from './current-policy.js';
export * from './ending.js';
export * from './evidence.js';
export * from './explain-names.js';
export * from './explain-principals.js';
export * from './fail-lease.js';
export * from './fetches.js';
export * from './grants-of-subject.js';
export * from './grants.js';
export * from './inbox.js';
export { intendMint, intendMints, type MintIntent } from './intend-mint.js';
export * from './leases.js';
export { ledgerMark, type LedgerTable } from './ledger-mark.js';
export * from './list-grants.js';
export * from './live-grant.js';
export * from './many-grants.js';
export * from './note-quarantine.js';
export * from './offboarding.js';
export * from './overdue-revocations.js';
export { emit, emitAll, Outbox, putInOutbox, type OutboxRow } from './outbox.js';
export * from './policy-sets.js';
export { DroppedClaims } from './dropped-claims.js';
export * from './queues.js';
export * from './revocation-orders.js';
export * from './redecide.js';
export * from './revoked-serials.js';
export * from './state-shadow.js';
export * from './tainted.js';
export * from './task-tokens.js';
export * from './token-scope.js';
export * from './quota-watch.js';
export * from './unsettled-sets.js';
export {
  countPermitted,
  lockUsage,
  readStandings,
  reportUsage,
  saveUsage,
  standsTheSame,
  type Permitted,
  type Standing,
  type UsageReport,
} from './usage.js';
export * from './used-proofs.js';
export * from './vault-digests.js';
export { migrate, openDatabase, type Database, type Listener, type Sql } from '@mayfly/postgres';

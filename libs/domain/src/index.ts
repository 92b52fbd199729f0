/**
 * Mayfly's words, one meaning each.
 *
 * - **Task**: one run of one piece of work; its id names that run for ever.
 * - **Orchestrator**: who says that a task started or ended. Known by registration, never by its own claims.
 * - **Agent**: the workload that does the task, known by a workload identity that it has to prove.
 * - **Initiator**: the person or service on whose behalf the task runs; never a source of privilege.
 * - **Capability**: a named thing that a task may ask for; the catalogue says what it is in Vault.
 * - **Decision**: permit or deny by policy, with reasons, the policy set's digest and an id.
 * - **Grant**: what one task was allowed; the root of everything that is ended with it.
 * - **Lease**: one minted, expiring credential under a grant. It has a state, never material.
 * - **Principal**: what the target calls a credential: a database user, a certificate's serial number.
 * - **Revocation**: ending a lease before its time. **Confirmed** means that Vault, and the target where it can be asked, said so.
 * - **Evidence**: the append-only record of all of this.
 * - **Secret material**: what lets its reader act. Only in Vault, in the agent's hands, and for a moment in delivery's memory.
 * @module
 */
export * from './canonical.js';
export * from './capability.js';
export * from './clock.js';
export * from './errors.js';
export * from './events.js';
export * from './flow.js';
export * from './ids.js';
export * from './secret.js';
export * from './task.js';

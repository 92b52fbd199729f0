/**
 * From `task.started` to a minted credential, on one screen.
 *
 *     admit (one transaction: all of it is known afterwards, or nothing)
 *     mint  (talks to Vault; repeated until it is done, whoever died in between)
 * @module
 */
import { flow } from '@mayfly/domain';
import type { Admission } from './admission.js';
import type { Minting } from './minting.js';
import { announceGrant } from './steps/announce-grant.js';
import { checkBreaker } from './steps/check-breaker.js';
import { checkOrders } from './steps/check-orders.js';
import { checkQuotas } from './steps/check-quotas.js';
import { createTaskToken } from './steps/create-task-token.js';
import { decide } from './steps/decide.js';
import { dropIfKnown } from './steps/drop-if-known.js';
import { intendLeases } from './steps/intend-leases.js';
import { mintLeases } from './steps/mint-leases.js';
import { openGrant } from './steps/open-grant.js';
import { reopenTaskToken } from './steps/reopen-task-token.js';
import { replaceTaskToken } from './steps/replace-task-token.js';
import { resolveOrchestrator } from './steps/resolve-orchestrator.js';
import { stateRequest } from './steps/state-request.js';

/** Everything that must be durable before Vault hears of the task. */
export const admit = flow<Admission>(
  resolveOrchestrator, // an unregistered source or a signature that proves nothing is parked: nobody vouches for it
  dropIfKnown, // at least once in, once through; a start of an ended task is parked
  checkBreaker, // a workflow that crashes again and again rests for a while
  checkQuotas, // a tenant, orchestrator or agent has no more than its share
  checkOrders, // nothing slips in behind a kill switch
  decide, // each credential by itself; no decision is a deny
  openGrant, // requested → granted | denied
  stateRequest, // evidence: who asked for what, on whose behalf
  announceGrant, // grant.issued | grant.denied, through the outbox
  intendLeases, // leases: minting, before anything exists in Vault
);

/** The only part that talks to Vault. */
export const mint = flow<Minting>(
  reopenTaskToken, // one that was sealed before a crash is used again
  replaceTaskToken, // another takes its place where it opens what was lost since, or lacks what is permitted again
  createTaskToken, // one token per task: dies with the deadline by Vault's own clock
  mintLeases, // minting → active, or → revoking when the grant ended meanwhile
);

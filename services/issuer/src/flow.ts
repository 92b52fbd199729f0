/**
 * From `task.started` to a minted credential, on one screen.
 *
 *     admit (one transaction: all of it is known afterwards, or nothing; starts that come at the same moment share one)
 *     mint  (talks to Vault; repeated until it is done, whoever died in between)
 * @module
 */
import { flow } from '@mayfly/domain';
import type { Round } from './admission.js';
import type { Minting } from './minting.js';
import { announceGrant } from './steps/announce-grant.js';
import { checkBreaker } from './steps/check-breaker.js';
import { checkOrders } from './steps/check-orders.js';
import { checkQuotas } from './steps/check-quotas.js';
import { createTaskToken } from './steps/create-task-token.js';
import { decide } from './steps/decide.js';
import { dropKnown } from './steps/drop-known.js';
import { each } from './steps/each.js';
import { heedOffboarding } from './steps/heed-offboarding.js';
import { intendLeases } from './steps/intend-leases.js';
import { lookAround } from './steps/look-around.js';
import { mintLeases } from './steps/mint-leases.js';
import { openGrant } from './steps/open-grant.js';
import { reopenTaskToken } from './steps/reopen-task-token.js';
import { replaceTaskToken } from './steps/replace-task-token.js';
import { resolveOrchestrator } from './steps/resolve-orchestrator.js';
import { stateRequest } from './steps/state-request.js';
import { writeDown } from './steps/write-down.js';

/** Everything that must be durable before Vault hears of the tasks. */
export const admit = flow<Round>(
  lookAround, // the current policy set and the kill switches in force
  each(resolveOrchestrator), // an unregistered source or a signature that proves nothing is parked: nobody vouches for it
  dropKnown, // at least once in, once through; a start of an ended task is parked
  heedOffboarding, // who has left starts nothing
  each(
    checkBreaker, // a workflow that crashes again and again rests for a while
    checkQuotas, // a tenant, orchestrator or agent has no more than its share
    checkOrders, // nothing slips in behind a kill switch
    decide, // each credential by itself; no decision is a deny
    openGrant, // requested → granted | denied
    stateRequest, // evidence: who asked for what, on whose behalf
    announceGrant, // grant.issued | grant.denied, through the outbox
    intendLeases, // leases: minting, before anything exists in Vault
  ),
  writeDown, // what the steps before have made, all at once
);

/** The only part that talks to Vault. */
export const mint = flow<Minting>(
  reopenTaskToken, // one that was sealed before a crash is used again
  replaceTaskToken, // another takes its place where it opens what was lost since, or lacks what is permitted again
  createTaskToken, // one token per task: dies with the deadline by Vault's own clock
  mintLeases, // minting → active, or → revoking when the grant ended meanwhile
);

/**
 * From a fetch to a secret, on one screen. Every step may refuse; only the last one holds material.
 * @module
 */
import { flow } from '@mayfly/domain';
import type { Fetch } from './fetch.js';
import { awaitSuperseded } from './steps/await-superseded.js';
import { checkGrant } from './steps/check-grant.js';
import { decideAgain } from './steps/decide-again.js';
import { hand } from './steps/hand.js';
import { obtainMaterial } from './steps/obtain-material.js';
import { openToken } from './steps/open-token.js';
import { reserveLease } from './steps/reserve-lease.js';
import { widenToken } from './steps/widen-token.js';

/** Hands one credential of a task to the workload that proved itself. */
export const fetchSecret = flow<Fetch>(
  checkGrant, // this workload's, granted, not ended; unknown and foreign look alike
  decideAgain, // at request time, by the policy set that is current now
  widenToken, // what was lost and is permitted again: the task's token has to open it first
  reserveLease, // one transaction: count the fetch, supersede the earlier copy, write the intent
  awaitSuperseded, // the earlier copy is proven dead before another exists
  openToken, // the task's own token
  obtainMaterial, // what was put aside at the start, or a fresh mint
  hand, // what was minted, and evidence of the permit and the delivery, is durable before a byte leaves
);

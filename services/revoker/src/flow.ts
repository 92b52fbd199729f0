/**
 * From a reason to end to a proven death, on one screen.
 *
 *     ask   (one transaction: states change, the request is announced; nobody is handed anything from here on)
 *     kill  (talks to Vault and the target; repeated until it is true, for ever)
 *
 * Who asks: `task.ended` and heartbeats (consumer.ts), the clock (watches.ts), and through the ledger every other service.
 * @module
 */
import { flow } from '@mayfly/domain';
import type { Killing } from './killing.js';
import { closeGrant } from './steps/close-grant.js';
import { concludeLeases } from './steps/conclude-leases.js';
import { confirmDeath } from './steps/confirm-death.js';
import { endIdleTokens } from './steps/end-idle-tokens.js';
import { endToken } from './steps/end-token.js';
import { findDoomed } from './steps/find-doomed.js';
import { quarantineSurvivors } from './steps/quarantine-survivors.js';
import { searchTargets } from './steps/search-targets.js';
import { strikeLeases } from './steps/strike-leases.js';

/** Kills what a grant has to lose. */
export const kill = flow<Killing>(
  findDoomed, // leases that shall die; the whole token when the grant is closing
  strikeLeases, // sync revoke of each lease: Vault answers when its engine has
  endToken, // revoke the token, those that it replaced, and everything under them, and look whether they are gone
  confirmDeath, // look each lease up; ask the target
  quarantineSurvivors, // what Vault has forgotten and the target still accepts is ended there, at once
  searchTargets, // before a grant is closed: does a target know anything of it that nobody wrote down?
  concludeLeases, // only what is proven is written and announced; the rest is stuck, and tried again; what ends is written with the close
  endIdleTokens, // while the task lives: a replaced token on which nothing hangs any more
  closeGrant, // closed once nothing is left that could still work
);

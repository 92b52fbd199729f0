/**
 * What is known while a grant's leases are being killed.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import type { Credential, Grant, Lease } from '@mayfly/grant';
import type { Doomed, Killers, Verdict } from '@mayfly/revocation';
import type { Claimed, Database } from '@mayfly/store';
import type { AtTargets } from './at-targets.js';
import type { Conclusion } from './conclude.js';
import type { KillLedger } from './kill-ledger.js';

/** Known at the beginning, then more with every step. */
export interface Killing {
  readonly database: Database;
  readonly ledger: KillLedger;
  readonly clock: Clock;
  readonly killers: Killers;
  readonly atTargets: AtTargets;
  readonly claim: Claimed;

  grant?: Grant;
  /** Whether the issuer holds, or still has to do, the grant's minting. */
  issuerAtWork?: boolean;
  credentials?: readonly Credential[];
  leases?: readonly Lease[];
  /** Accessors of tokens that were replaced and are not proven gone. */
  retiredTokens?: readonly string[];
  doomed?: readonly Doomed[];
  /** Those of them that were stuck before this attempt: that was said already. */
  stuckBefore?: ReadonlySet<string>;
  /** What Vault said about the task's token; set only when it is proven gone. */
  tokenProof?: string;
  /** Codes of what went wrong, by lease. */
  problems?: Map<string, string>;
  verdicts?: readonly (readonly [Doomed, Verdict])[];
  /** What this attempt has shown, where it is to be written with the attempt's end. */
  conclusion?: Conclusion;
  /** Whether a target still knows something of the grant that no lease names, or could not be asked; undefined while nobody has asked. */
  remains?: boolean;
  /** When to look again; null when nothing is left. */
  next?: Date | null;
}

/**
 * What an agent or operator is told about one credential of a task.
 * @module
 */
import type { LeaseState } from './transitions.js';

/** `denied`: policy said no. `available`: will be minted when fetched. The rest is the newest lease's own state. */
export type CredentialState = 'denied' | 'available' | 'ended' | LeaseState;

/** The state to show for a credential, from its decision, its newest lease and whether its grant has ended. */
export function credentialState(permitted: boolean, newest: LeaseState | undefined, grantEnded: boolean): CredentialState {
  if (!permitted) return 'denied';
  return newest ?? (grantEnded ? 'ended' : 'available');
}

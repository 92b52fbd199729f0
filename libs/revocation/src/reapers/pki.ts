/**
 * Certificates. Their target is everybody who reads the revocation list, which only Vault can write.
 * @module
 */
import type { Killers } from '../ports.js';
import { leased, type AskTarget } from './leased.js';
import type { Reaper } from './reaper.js';

/** Dead: its serial number is on the list that Vault publishes. */
export const pki = (killers: Killers): Reaper => {
  const ask: AskTarget = async ({ principal }, { mount }) => {
    // A certificate that was never written down cannot be looked up; its key was never handed to anyone either.
    if (!principal) return { dead: true, checked: 'certificate was never handed out' };
    return { dead: await killers.revoker.isCertificateRevoked(mount, principal), checked: 'serial number is on the revocation list' };
  };
  return { ...leased(killers, ask), quarantine: async () => undefined };
};

import { grantDenied, grantIssued } from '@mayfly/grant';
import type { Admission } from '../admission.js';

/** What the world is told. */
export function announceGrant(known: Admission): void {
  const { round, message, grant, credentials } = known;
  if (!grant?.agentId || !credentials) throw new TypeError('announceGrant comes after openGrant');
  const announce = grant.state === 'granted' ? grantIssued : grantDenied;
  known.announced = announce(grant, credentials, { at: round.now, causationId: message.envelope.id });
}

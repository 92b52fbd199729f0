import { grantDenied, grantIssued } from '@mayfly/grant';
import { announceTask, emit } from '@mayfly/store';
import type { Admission } from '../admission.js';

/** Tells the world, by the outbox, and the evidence, in the same transaction. */
export async function announceGrant(known: Admission): Promise<void> {
  const { tx, now, message, grant, credentials } = known;
  if (!grant?.agentId || !credentials) throw new TypeError('announceGrant comes after openGrant');
  const announce = grant.state === 'granted' ? grantIssued : grantDenied;
  await emit(tx, 'issuer', announce(grant, credentials, { at: now, causationId: message.envelope.id }));
  await announceTask(tx, grant.taskId);
}

import { NotReady, TaskClosed } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { credentialDelivered } from '@mayfly/grant';
import { emit, findLease, lockGrant } from '@mayfly/store';
import type { Fetch } from '../fetch.js';

/** INVARIANT: the permit and the delivery are durable in the evidence before a byte leaves, and nothing leaves once the task has ended. */
export async function hand({ on, grant, credential, lease, decision }: Fetch): Promise<void> {
  if (!grant || !credential || !lease || !decision) throw new TypeError('hand comes last');
  await on.database.transaction('deliver', async (tx) => {
    const current = await lockGrant(tx, grant.id);
    const held = await findLease(tx, lease.ref);
    if (current?.state !== 'granted') throw new TaskClosed();
    if (held?.state !== 'active') throw new CopyLost();
    await emit(tx, 'delivery', credentialDelivered(current, credential, held, decision, { at: on.clock.now() }));
  });
  failpoint('C10');
}

/**
 * The copy was ended before it was handed out, by a later fetch or by drift. A waiting fetch does not try again by itself: two that wait
 * side by side would take each other's copies for ever.
 */
export class CopyLost extends NotReady {
  constructor() {
    super('this copy was revoked before it was handed out, by another fetch or a changed policy; ask again');
  }
}

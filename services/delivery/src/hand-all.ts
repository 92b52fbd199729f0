import { TaskClosed, NotReady } from '@mayfly/domain';
import { credentialDelivered } from '@mayfly/grant';
import { emitAll, leasesByRef, lockGrantRows } from '@mayfly/store';
import type { DeliveryDependencies, Fetch } from './fetch.js';
import { BUSY, type Each } from './per-grant.js';

/** INVARIANT: the permit and the delivery are durable in the evidence before a byte leaves, and nothing leaves once the task has ended. */
export const handAll = (
  { database, clock }: DeliveryDependencies,
  fetches: readonly Fetch[],
  busy: 'wait' | 'skip',
): Promise<Each<void>[]> =>
  database.transaction('deliver', async (tx) => {
    const grants = await lockGrantRows(
      tx,
      fetches.map(({ grant }) => grant!.id),
      busy,
    );
    const held = await leasesByRef(
      tx,
      fetches.map(({ lease }) => lease!.ref),
    );
    const at = clock.now();
    const judged = fetches.map((fetch) => {
      const current = grants.find(({ id }) => id === fetch.grant!.id);
      const lease = held.find(({ ref }) => ref === fetch.lease!.ref);
      if (!current) return busy === 'skip' ? BUSY : { refused: new TaskClosed() };
      if (current.state !== 'granted') return { refused: new TaskClosed() };
      if (lease?.state !== 'active') return { refused: new CopyLost() };
      return { done: credentialDelivered(current, fetch.credential!, lease, fetch.decision!, { at }) };
    });
    await emitAll(
      tx,
      'delivery',
      judged.flatMap((each) => (each !== BUSY && 'done' in each ? [each.done] : [])),
    );
    return judged.map((each) => (each !== BUSY && 'done' in each ? { done: undefined } : each));
  });

/**
 * The copy was ended before it was handed out, by a later fetch or by drift. A waiting fetch does not try again by itself: two that wait
 * side by side would take each other's copies for ever.
 */
export class CopyLost extends NotReady {
  constructor() {
    super('this copy was revoked before it was handed out, by another fetch or a changed policy; ask again');
  }
}

import { TaskClosed, NotReady } from '@mayfly/domain';
import { credentialDelivered, credentialIssued, type Lease } from '@mayfly/grant';
import { emitAll, leasesByRef, lockGrantRows, writeActive } from '@mayfly/store';
import type { DeliveryDependencies, Fetch } from './fetch.js';
import { BUSY, type Each } from './per-grant.js';

/**
 * INVARIANT: the permit and the delivery are durable in the evidence before a byte leaves, and nothing leaves once the task has ended. What was
 * minted for a fetch is written down in the same transaction, whether or not it leaves: a lease that was asked to end meanwhile gets its names,
 * for the revoker.
 */
export const handAll = (
  { database, clock }: DeliveryDependencies,
  fetches: readonly Fetch[],
  busy: 'wait' | 'skip',
): Promise<Each<Lease>[]> =>
  database.transaction('deliver', async (tx) => {
    const grants = await lockGrantRows(
      tx,
      fetches.map(({ grant }) => grant!.id),
      busy,
    );
    const free = fetches.filter(({ grant }) => busy === 'wait' || grants.some(({ id }) => id === grant!.id));
    const minted = free.filter(({ activation }) => activation);
    const kept = free.filter(({ activation }) => !activation);
    const active = await writeActive(
      tx,
      minted.map(({ activation }) => activation!),
    );
    const held = await leasesByRef(
      tx,
      kept.map(({ lease }) => lease!.ref),
    );
    const at = clock.now();
    const judged = fetches.map((fetch): Each<Lease> => {
      if (!free.includes(fetch)) return BUSY;
      const lease = fetch.activation ? active[minted.indexOf(fetch)] : held.find(({ ref }) => ref === fetch.lease!.ref);
      if (grants.find(({ id }) => id === fetch.grant!.id)?.state !== 'granted') return { refused: new TaskClosed() };
      if (lease?.state === 'active') return { done: lease };
      return { refused: fetch.activation ? new TaskClosed() : new CopyLost() };
    });
    const issued = minted.flatMap(({ activation }, place) => {
      const lease = active[place];
      return lease ? [credentialIssued(activation!.grant, activation!.credential, lease, { at: activation!.at })] : [];
    });
    const delivered = fetches.flatMap(({ grant, credential, decision }, place) => {
      const outcome = judged[place]!;
      return outcome !== BUSY && 'done' in outcome ? [credentialDelivered(grant!, credential!, outcome.done, decision!, { at })] : [];
    });
    await emitAll(
      tx,
      'delivery',
      [...issued, ...delivered],
      minted.map(({ grant }) => grant!.taskId),
    );
    return judged;
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

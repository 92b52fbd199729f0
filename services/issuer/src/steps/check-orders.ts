import { selects } from '@mayfly/grant';
import { ordersInForce } from '@mayfly/store';
import type { Admission } from '../admission.js';

/** While a kill switch is being carried out, nothing that it means slips in behind it. It waits for admissions that have not seen it. */
export async function checkOrders(known: Admission): Promise<void> {
  const { tx, message, orchestrator } = known;
  if (!orchestrator) throw new TypeError('checkOrders comes after resolveOrchestrator');
  const orders = await ordersInForce(tx);
  if (orders.some((selector) => selects(selector, message.task, orchestrator.tenant))) known.refusal = 'revocation-ordered';
}

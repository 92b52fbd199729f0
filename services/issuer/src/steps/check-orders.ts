import { selects } from '@mayfly/grant';
import type { Admission } from '../admission.js';

/** While a kill switch is being carried out, nothing that it means slips in behind it. It waits for admissions that have not seen it. */
export function checkOrders(known: Admission): void {
  const { round, message, orchestrator } = known;
  if (round.orders!.some((selector) => selects(selector, message.task, orchestrator!.tenant))) known.refusal = 'revocation-ordered';
}

import { heedVault, ordersInForce } from '@mayfly/store';
import type { Round } from '../admission.js';

/** What holds for all of them: the policy set that is current, as far as Vault is what it declares, and the kill switches in force. */
export async function lookAround(round: Round): Promise<void> {
  const { tx, policies } = round;
  round.policy = await heedVault(tx, await policies.get(tx));
  // It holds off kill switches until these admissions are over; one that is being carried out lets nothing slip in behind it.
  round.orders = await ordersInForce(tx);
  round.now = round.clock.now();
}

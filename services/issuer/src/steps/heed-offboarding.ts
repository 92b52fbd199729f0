import { offboardedAmong } from '@mayfly/store';
import type { Round } from '../admission.js';

/** Whether a signal said that an initiator has left. */
export async function heedOffboarding({ tx, admissions }: Round): Promise<void> {
  const initiated = admissions.flatMap((admission) => {
    const { initiator } = admission.message.task;
    return initiator ? [{ admission, tenant: admission.orchestrator!.tenant, id: initiator.id }] : [];
  });
  const gone = await offboardedAmong(tx, initiated);
  for (const one of initiated) one.admission.initiatorOffboarded = gone.has(one);
}

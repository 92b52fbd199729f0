/**
 * What was read cannot be unread. A stored object that a task had read when it was stopped for what it did is tainted: nobody gets that
 * version of it again. Rotating it, which makes a new version, is what clears it.
 * @module
 */
import type { Capability, Cause } from '@mayfly/domain';
import type { Lease } from '@mayfly/grant';

/** Ends that say something against the task, and so against whoever may have what it read. */
export const TAINTING_CAUSES = ['behaviour_drift', 'risk_signal', 'operator'] as const satisfies readonly Cause[];

/** True when the end of this lease taints what was read by it. */
export const taints = ({ compensation }: Pick<Capability, 'compensation'>, { cause, deliveredAt, principal }: Lease): boolean =>
  compensation === 'taint' &&
  deliveredAt !== undefined &&
  principal !== undefined &&
  (TAINTING_CAUSES as readonly (Cause | undefined)[]).includes(cause);

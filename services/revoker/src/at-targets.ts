/**
 * How many leases of one target are revoked side by side.
 * @module
 */
import { Slots } from '@mayfly/worker';

/** A target has so few connections for it that more only queue there, where nobody serves them by lanes; calls of Vault alone may be more. */
const AT_ONCE = 12;

/** Places at each target: one that is slow holds up its own only. */
export class AtTargets {
  readonly #slots = new Map<string, Slots>();

  /** Does it once there is a place at this target; what concerns no target is done at once. */
  async at<T>(target: string | undefined, work: () => Promise<T>): Promise<T> {
    if (target === undefined) return work();
    const slots = this.#slots.get(target) ?? new Slots(AT_ONCE);
    this.#slots.set(target, slots);
    return slots.run(work);
  }
}

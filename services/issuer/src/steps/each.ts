import { flow, type Step } from '@mayfly/domain';
import { RejectedEvent } from '@mayfly/task-events';
import type { Admission, Round } from '../admission.js';

/**
 * Leads the starts through these steps one after the other: what an earlier one of them takes counts when a later one is looked at. A start
 * that is rejected leaves the round and nothing of it is written; whatever else is thrown ends the round.
 */
export function each(...steps: readonly Step<Admission>[]): Step<Round> {
  const one = flow<Admission>(...steps);
  return async (round) => {
    const left: Admission[] = [];
    for (const admission of round.admissions) {
      try {
        if (await one(admission)) left.push(admission);
      } catch (error) {
        if (!(error instanceof RejectedEvent)) throw error;
        admission.rejected = error;
      }
    }
    round.admissions = left;
  };
}

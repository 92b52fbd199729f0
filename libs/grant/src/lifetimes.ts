/**
 * How long things may live. Wishes only ever shorten.
 * @module
 */
import { earliest, plusSeconds, type Capability, type CredentialRequest } from '@mayfly/domain';

/**
 * The moment by which everything of a task is dead, whatever fails: Vault's own explicit maximum is set from it.
 * @param maxDurationSeconds what the workflow's registration allows
 * @param wish the orchestrator's own deadline
 * @param parentDeadline a sub-task never outlives its parent
 */
export function deadlineOf(startedAt: Date, maxDurationSeconds: number, wish?: Date, parentDeadline?: Date): Date {
  const bounds = [wish, parentDeadline].filter((bound) => bound !== undefined);
  return earliest(plusSeconds(startedAt, maxDurationSeconds), ...bounds);
}

/** The life of one lease in whole seconds, at least 1: the shortest of the wish, the catalogue's limit and what is left until the deadline. */
export function ttlOf(
  request: Pick<CredentialRequest, 'ttlSeconds'>,
  capability: Pick<Capability, 'maxTtlSeconds'>,
  now: Date,
  deadline: Date,
): number {
  const left = Math.floor((deadline.getTime() - now.getTime()) / 1000);
  return Math.max(1, Math.min(request.ttlSeconds ?? capability.maxTtlSeconds, capability.maxTtlSeconds, left));
}

/**
 * The ladder of behaviour: a task whose calls are refused again and again loses step by step what it has.
 * @module
 */
import { BEHAVIOURS, type Behaviour } from '@mayfly/domain';

/** Where a task's refused calls lead it; `revoked` is the end of its grant. */
export type BehaviourStep = Exclude<Behaviour, 'normal'> | 'revoked';

/** How many refused calls lead to each step; a step of which nothing is said is never taken. Part of a workflow's registration. */
export interface BehaviourRule {
  /** From then on it is said, and nothing else changes. */
  readonly warn?: number | undefined;
  /** From then on the task has nothing that writes. */
  readonly narrow?: number | undefined;
  /** From then on it has nothing at all until an operator reinstates it. */
  readonly suspend?: number | undefined;
  /** From then on it is over. */
  readonly revoke?: number | undefined;
}

const STEPS = [
  ['revoke', 'revoked'],
  ['suspend', 'suspended'],
  ['narrow', 'narrowed'],
  ['warn', 'warned'],
] as const satisfies readonly (readonly [keyof BehaviourRule, BehaviourStep])[];

/** The worst step that so many refused calls lead to from here; undefined when it is not worse than what is. */
export function nextStep(rule: BehaviourRule | undefined, behaviour: Behaviour, refused: number): BehaviourStep | undefined {
  const [, step] = STEPS.find(([name]) => rule?.[name] !== undefined && refused >= rule[name]) ?? [];
  if (step === undefined || step === 'revoked') return step;
  return isWorse(step, behaviour) ? step : undefined;
}

/** Whether the one is worse than the other. */
export const isWorse = (one: Behaviour, other: Behaviour): boolean => BEHAVIOURS.indexOf(one) > BEHAVIOURS.indexOf(other);

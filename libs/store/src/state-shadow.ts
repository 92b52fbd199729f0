/**
 * What policies in shadow mode would have decided, on record.
 * @module
 */
import type { Decision } from '@mayfly/policy';
import type { Sql } from '@mayfly/postgres';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';
import { stateFacts, type StatedFact } from './evidence.js';

/** What a decision was about. */
export interface DecidedAbout extends Pick<StatedFact, 'by' | 'tenant' | 'taskId' | 'traceparent'> {
  readonly action: string;
  /** The capability, tool or agent that was asked for. */
  readonly target: string;
  readonly at: Date;
}

const shadows = counter(METRICS.shadowDecisions);

/** Counts what shadow policies would have made of a decision. */
export function countShadow({ shadow = [] }: Decision): void {
  for (const { policy, would } of shadow) shadows.add(1, { [ATTRIBUTES.policy]: policy, [ATTRIBUTES.decision]: would });
}

/** States and counts what shadow policies would have made of decisions, in the caller's transaction; nothing where none applied. */
export async function stateShadow(sql: Sql, decided: readonly (DecidedAbout & { readonly decision: Decision })[]): Promise<void> {
  const facts = decided.flatMap(({ action, target, at, decision, ...whose }): StatedFact[] => {
    const { id, shadow = [], policyDigest, decision: enforced } = decision;
    countShadow(decision);
    if (shadow.length === 0) return [];
    const data = { decisionId: id, policyDigest, action, target, decision: enforced, shadow };
    return [{ kind: 'dev.mayfly.evidence.shadow-decided.v1', at: at.toISOString(), ...whose, data }];
  });
  await stateFacts(sql, facts);
}

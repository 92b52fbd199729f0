/**
 * Decisions while Vault is not what the catalogue declares.
 * @module
 */
import type { Decider } from './decision.js';

/**
 * The same decider, but for these capabilities, whatever the policies say: what would be minted is not what was agreed on.
 * @param drifted names of capabilities whose policy or role in Vault is something else than the catalogue declares
 */
export const denyDrifted = (decider: Decider, drifted: ReadonlySet<string>): Decider =>
  drifted.size === 0
    ? decider
    : {
        decide: async (question) => {
          const decision = await decider.decide(question);
          if (decision.decision === 'deny' || !('capability' in question) || !drifted.has(question.capability)) return decision;
          return { ...decision, decision: 'deny', reasons: ['vault-drift'], policies: [] };
        },
      };

/**
 * What a loss is called.
 * @module
 */
import type { Cause, Drift } from '@mayfly/domain';
import type { Redecided } from './decide-grant.js';
import type { Reason } from './decision.js';

/** Reasons that say by themselves what moved, whatever it was that made somebody look. */
const MOVED: { readonly [Why in Reason]?: Drift } = {
  'unknown-capability': 'catalogue',
  'catalogue-changed': 'catalogue',
  'unregistered-source': 'orchestrator_registration',
  'unregistered-workflow': 'orchestrator_registration',
  'agent-not-allowed': 'orchestrator_registration',
  'tenant-mismatch': 'orchestrator_registration',
  'unregistered-agent': 'agent_unregistered',
  'agent-suspended': 'agent_suspended',
  'agent-owner-gone': 'agent_owner_gone',
  'initiator-offboarded': 'initiator_offboarded',
  'vault-drift': 'vault',
  'task-narrowed': 'behaviour',
  'task-suspended': 'behaviour',
};

/** The wire's word for it; absent where that is the cause of whatever made somebody look. */
const CAUSES: { readonly [What in Drift]?: Cause } = {
  policy_set: 'policy_drift',
  catalogue: 'policy_drift',
  agent_suspended: 'policy_drift',
  agent_owner_gone: 'policy_drift',
  agent_unregistered: 'policy_drift',
  orchestrator_registration: 'policy_drift',
  vault: 'policy_drift',
  risk: 'risk_signal',
  session_revoked: 'risk_signal',
  behaviour: 'behaviour_drift',
};

/** Why somebody looked at a live grant again. */
export interface Shift {
  readonly cause: Cause;
  readonly drift: Drift;
}

/** What moved when a permit was lost, and the cause that goes with it. */
export function shiftOf({ decision, parentNarrowed }: Redecided, looked: Shift): Shift {
  const [reason] = decision.reasons;
  const drift = parentNarrowed ? 'parent_narrowed' : ((reason && MOVED[reason]) ?? looked.drift);
  return { drift, cause: CAUSES[drift] ?? looked.cause };
}

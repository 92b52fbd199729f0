import { heedVault } from '@mayfly/store';
import { vouchFor } from '@mayfly/task-events';
import type { Admission } from '../admission.js';

/** Who says so? What an event claims about itself is never authority; its source's registration is, and the keys that are in it. */
export async function resolveOrchestrator(known: Admission): Promise<void> {
  const { source } = known.message.envelope;
  known.policy = await heedVault(known.tx, await known.policies.get(known.tx));
  Object.assign(known, await vouchFor(known.policy.set.orchestrator(source), known.message, known.audience));
  known.workflow = known.policy.set.workflow(source, known.message.task.workflow.name);
}

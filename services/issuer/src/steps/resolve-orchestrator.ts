import { RejectedEvent } from '@mayfly/task-events';
import type { Admission } from '../admission.js';

/** Who says so? What an event claims about itself is never authority; its source's registration is. */
export async function resolveOrchestrator(known: Admission): Promise<void> {
  const { source } = known.message.envelope;
  known.policy = await known.policies.get(known.tx);
  const orchestrator = known.policy.set.orchestrator(source);
  if (!orchestrator)
    throw new RejectedEvent('unregistered-source', 'no orchestrator is registered under this source; register it in the policy set');
  known.orchestrator = orchestrator;
  known.workflow = known.policy.set.workflow(source, known.message.task.workflow.name);
}

import { vouchFor } from '@mayfly/task-events';
import type { Admission } from '../admission.js';

/** Who says so? What an event claims about itself is never authority; its source's registration is, and the keys that are in it. */
export async function resolveOrchestrator(known: Admission): Promise<void> {
  const { message, round } = known;
  const { source } = message.envelope;
  const { set } = round.policy!;
  Object.assign(known, await vouchFor(set.orchestrator(source), message, round.audience));
  known.workflow = set.workflow(source, message.task.workflow.name);
}

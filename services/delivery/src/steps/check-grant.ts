import { PendingApproval, TaskClosed, TaskNotFound, Denied, InvalidRequest, NotReady } from '@mayfly/domain';
import type { Credential, Grant } from '@mayfly/grant';
import { findGrantByTask, type Sql } from '@mayfly/store';
import type { Fetch } from '../fetch.js';

/** Finds the credential, or refuses. */
export async function checkGrant(known: Fetch): Promise<void> {
  const { seen } = known;
  known.grant = ownGrant(seen?.standing.grant, known.agent);
  known.credential = openCredential(known.grant, seen!.credentials, known.name);
  if (!known.grant.sealedToken) throw new NotReady();
}

/**
 * The grant of a task, for its own agent only. The grant's agent decides, not the token's say-so.
 * @throws TaskNotFound for an unknown task and for another workload's: the two look alike
 */
export const grantFor = async (sql: Sql, taskId: string, agent: string): Promise<Grant> =>
  ownGrant(await findGrantByTask(sql, taskId), agent);

function ownGrant(grant: Grant | undefined, agent: string): Grant {
  if (!grant || grant.agentId !== agent) throw new TaskNotFound();
  return grant;
}

/** The credential of that name, if the grant and its first decision allow it at all. */
export function openCredential(grant: Grant, credentials: readonly Credential[], name: string): Credential {
  if (grant.state === 'closing' || grant.state === 'closed') throw new TaskClosed();
  if (grant.state === 'pending') throw new PendingApproval();
  if (grant.state === 'requested') throw new NotReady();
  const credential = credentials.find((candidate) => candidate.name === name);
  if (!credential) throw new InvalidRequest('this task asked for no credential of that name; GET /v1/tasks/{taskId} lists them');
  if (grant.state === 'denied' || !credential.permitted) throw new Denied(credential.decisionId);
  return credential;
}

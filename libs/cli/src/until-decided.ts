/**
 * Waiting for what becomes of a task's start.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { MayflyProblem } from '@mayfly/agent-client';
import { MayflyError } from '@mayfly/domain';
import type { ConsoleClient } from './console-client.js';
import type { GrantView } from './grant-view.js';

const EVERY_MILLISECONDS = 150;

/**
 * The task's grant, once it is decided and what is minted at its start is there.
 * @throws MayflyError `task-not-found` or `not-decided` when that takes longer than `seconds`
 */
export async function untilDecided(operators: ConsoleClient, taskId: string, seconds: number): Promise<GrantView> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const grant = await findGrant(operators, taskId);
    if (grant && !isUnderWay(grant)) return grant;
    if (performance.now() > deadline) throw grant ? NOT_DECIDED : UNKNOWN;
    await pause(EVERY_MILLISECONDS);
  }
}

const UNKNOWN = new MayflyError(
  'task-not-found',
  'nobody has heard of this task; check its id, and the dead-letter topic for a start that was refused',
  404,
  false,
);
const NOT_DECIDED = new MayflyError('not-decided', 'the task is not decided and minted yet; see npx mayfly doctor', 504, true);

const isUnderWay = ({ state, credentials }: GrantView): boolean =>
  state === 'requested' || credentials.some((credential) => credential.state === 'minting');

/** The task's grant as it is now; undefined while nobody has heard of the task. */
export async function findGrant(operators: ConsoleClient, taskId: string): Promise<GrantView | undefined> {
  try {
    return (await operators.get<{ grant?: GrantView }>(`/v1/tasks/${encodeURIComponent(taskId)}/timeline`)).grant;
  } catch (error) {
    if (error instanceof MayflyProblem && error.code === 'task-not-found') return undefined;
    throw error;
  }
}

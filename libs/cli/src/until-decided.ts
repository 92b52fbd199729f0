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

/** The task's grant, once it is decided. @throws MayflyError `not-decided` when that takes longer than `seconds` */
export async function untilDecided(operators: ConsoleClient, taskId: string, seconds: number): Promise<GrantView> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const grant = await findGrant(operators, taskId);
    if (grant && grant.state !== 'requested') return grant;
    if (performance.now() > deadline) {
      throw new MayflyError(
        'not-decided',
        `task \`${taskId}\` is not decided after ${seconds} s; see npx mayfly doctor, and the dead-letter topic for a refused event`,
        504,
        true,
      );
    }
    await pause(EVERY_MILLISECONDS);
  }
}

/** The task's grant as it is now; undefined while nobody has heard of the task. */
export async function findGrant(operators: ConsoleClient, taskId: string): Promise<GrantView | undefined> {
  try {
    return (await operators.get<{ grant?: GrantView }>(`/v1/tasks/${encodeURIComponent(taskId)}/timeline`)).grant;
  } catch (error) {
    if (error instanceof MayflyProblem && error.code === 'task-not-found') return undefined;
    throw error;
  }
}

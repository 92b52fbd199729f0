/**
 * Giving a task back what its own refused calls cost it.
 * @module
 */
import { MayflyError, TaskClosed, type Behaviour, type Clock, type TaskId } from '@mayfly/domain';
import { announceTask, findGrantByTask, reinstateBehaviour, stateFact, type Database } from '@mayfly/store';

/** How a task stood before it was reinstated. */
export interface Reinstated {
  readonly taskId: TaskId;
  readonly was: Behaviour;
  readonly behaviour: 'normal';
}

/** Reinstates narrowed and suspended tasks. */
export class Reinstating {
  constructor(private readonly on: { readonly database: Database; readonly clock: Clock }) {}

  /**
   * What ended stays ended: the agent fetches anew, and policy decides anew. Sub-tasks are reinstated one by one.
   * @throws MayflyError `task-not-found`; TaskClosed for what is not live (any more)
   */
  reinstate(taskId: TaskId, reason: string, operator: string): Promise<Reinstated> {
    const { database, clock } = this.on;
    return database.transaction('reinstate', async (tx) => {
      const before = await reinstateBehaviour(tx, taskId);
      if (!before) {
        const grant = await findGrantByTask(tx, taskId);
        if (!grant) throw new MayflyError('task-not-found', 'no such task; check the task id', 404, false);
        if (grant.state !== 'granted') throw new TaskClosed();
        return { taskId, was: grant.behaviour, behaviour: 'normal' };
      }
      const { tenant, behaviour: was, traceparent } = before;
      await stateFact(tx, {
        kind: 'dev.mayfly.evidence.reinstated.v1',
        at: clock.now().toISOString(),
        tenant,
        taskId,
        by: 'console',
        data: { operator, reason, from: was },
        traceparent,
      });
      await announceTask(tx, taskId);
      return { taskId, was, behaviour: 'normal' };
    });
  }
}

/**
 * What operators may do, with everything that needs. Who may do what is decided before: see `operators.ts`.
 * @module
 */
import { InvalidRequest, MayflyError, newEventId, OUT_EVENTS, TOPICS, type Clock } from '@mayfly/domain';
import type { Profile } from '@mayfly/service';
import { readPolicySet, refuseDevKeys, type PolicyFiles } from '@mayfly/policy';
import {
  applyPolicySet,
  endGrant,
  listGrants,
  lockGrant,
  putInOutbox,
  readHead,
  revokedSerials,
  readLog,
  readTaskIntake,
  readTaskLog,
  stateFact,
  type Database,
  type GrantFilter,
} from '@mayfly/store';
import { cursorAfter } from './cursor.js';
import { viewGrant } from './view-grant.js';

/** Which live grants a kill switch means; exactly one of these. */
export type Selector = Pick<GrantFilter, 'taskId' | 'agent' | 'initiator' | 'capability' | 'workflow' | 'tenant'>;

const PAGE = 100;

/** The operators' API without HTTP. */
export class Operating {
  /** @param on in profile `dev` a policy set may trust published development keys */
  constructor(private readonly on: { readonly database: Database; readonly clock: Clock; readonly profile: Profile }) {}

  /** Grants that match, newest first, a page at a time. */
  async grants(filter: GrantFilter) {
    const found = await listGrants(this.on.database, filter);
    const last = found.at(-1);
    return { grants: found.map(viewGrant), ...(last && found.length === filter.limit && { cursor: cursorAfter(last.grant) }) };
  }

  /** Everything that happened for a task, in order; the newest facts may not be chained yet. @throws MayflyError `task-not-found` */
  async timeline(taskId: string) {
    const { database } = this.on;
    const [tree] = await listGrants(database, { taskId, limit: 1 });
    const [chained, waiting] = await Promise.all([readTaskLog(database, taskId), readTaskIntake(database, taskId)]);
    if (!tree && chained.length === 0 && waiting.length === 0)
      throw new MayflyError('task-not-found', 'no such task; check the task id', 404, false);
    const entries = [...chained, ...waiting.map((fact) => ({ ...fact, index: undefined, hash: undefined }))];
    return {
      taskId,
      ...(tree && { grant: viewGrant(tree) }),
      entries: entries.map(({ kind, at, by, data, index, hash }) => ({ at, kind, by, data, ...(index !== undefined && { index, hash }) })),
    };
  }

  /** The evidence about one task, as it stands in the log. */
  async evidence(taskId: string) {
    return { taskId, records: await readTaskLog(this.on.database, taskId), checkpoint: await this.checkpoint() };
  }

  /** A page of the whole log, for whoever checks it. */
  async log(fromIndex: number, limit: number) {
    return { records: await readLog(this.on.database, fromIndex, limit), checkpoint: await this.checkpoint() };
  }

  /** The log's head. */
  async checkpoint() {
    return (await readHead(this.on.database)) ?? { size: 0, hash: '0'.repeat(64) };
  }

  /** Serial numbers of a capability's certificates whose task is over and whose validity is not. */
  revokedSerials(capability: string): Promise<string[]> {
    return revokedSerials(this.on.database, capability, this.on.clock.now());
  }

  /** Makes a policy set the current one, atomically; drift follows from it. @throws InvalidPolicySet */
  async applyPolicies(files: PolicyFiles, operator: string) {
    const set = readPolicySet(files);
    if (this.on.profile !== 'dev') refuseDevKeys(set);
    const { database, clock } = this.on;
    const at = clock.now();
    const changed = await database.transaction('apply policy set', async (tx) => {
      const switched = await applyPolicySet(tx, { digest: set.digest, files: set.files, appliedBy: operator, at });
      if (!switched) return false;
      const data = { policyDigest: set.digest, at: at.toISOString(), operator };
      await stateFact(tx, { kind: 'dev.mayfly.evidence.policy-applied.v1', at: at.toISOString(), by: 'console', data });
      const event = { id: newEventId(), type: OUT_EVENTS.policyChanged, topic: TOPICS.signals, key: 'policy', time: at, data };
      await putInOutbox(tx, 'console', [event]);
      return true;
    });
    return { policyDigest: set.digest, changed, capabilities: set.capabilities.length, policies: Object.keys(set.policies).length };
  }

  /** Kill switch: ends every live grant that matches. With `dryRun` it only counts. */
  async revoke(selector: Selector, reason: string, dryRun: boolean, operator: string) {
    const named = Object.entries(selector).filter(([, value]) => value !== undefined);
    if (named.length !== 1)
      throw new InvalidRequest('a selector names exactly one of taskId, agent, initiator, capability, workflow, tenant');
    const { database, clock } = this.on;
    const tasks: string[] = [];
    for (let after: { openedAt: Date; id: string } | undefined; ;) {
      const page = await listGrants(database, { ...selector, state: 'granted', limit: PAGE, after });
      for (const { grant } of page) {
        if (dryRun || (await this.#end(grant.id, reason, operator, clock.now()))) tasks.push(grant.taskId);
      }
      const last = page.at(-1);
      if (!last || page.length < PAGE) return { dryRun, count: tasks.length, tasks };
      after = { openedAt: last.grant.openedAt, id: last.grant.id };
    }
  }

  #end(id: Parameters<typeof lockGrant>[1], reason: string, operator: string, at: Date): Promise<boolean> {
    return this.on.database.transaction('operator revokes', async (tx) => {
      const grant = await lockGrant(tx, id);
      if (!grant || !(await endGrant(tx, grant, { cause: 'operator', by: 'console', at }))) return false;
      await stateFact(tx, {
        kind: 'dev.mayfly.evidence.operator-revoked.v1',
        at: at.toISOString(),
        tenant: grant.tenant,
        taskId: grant.taskId,
        by: 'console',
        data: { operator, reason },
      });
      return true;
    });
  }
}

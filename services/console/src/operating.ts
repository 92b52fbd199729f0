/**
 * What operators may look at. Who may see what is decided before: see `operators.ts`.
 * @module
 */
import { MayflyError, type Clock } from '@mayfly/domain';
import {
  listGrants,
  readHead,
  revokedSerials,
  readLog,
  readTaskEntries,
  readTaskLog,
  type Database,
  type GrantFilter,
} from '@mayfly/store';
import { cursorAfter } from './cursor.js';
import { viewGrant } from './view-grant.js';

/** The operators' API without HTTP. */
export class Operating {
  constructor(private readonly on: { readonly database: Database; readonly clock: Clock }) {}

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
    const entries = await readTaskEntries(database, taskId);
    if (!tree && entries.length === 0) throw new MayflyError('task-not-found', 'no such task; check the task id', 404, false);
    return {
      taskId,
      ...(tree && { grant: viewGrant(tree) }),
      entries: entries.map(({ at, kind, by, data, index, hash }) => ({ at, kind, by, data, ...(index !== undefined && { index, hash }) })),
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
}

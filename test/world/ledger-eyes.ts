/** What storms and benchmarks have to know of the ledger: whose grant is whose, and where the fence stands. It judges no death. */
import { openDatabase, type Database } from '@mayfly/postgres';

export interface KnownGrant {
  readonly taskId: string;
  readonly grantId: string;
  readonly accessor: string | null;
}

export class LedgerEyes {
  readonly #ledger: Database;

  constructor(url: string) {
    this.#ledger = openDatabase({ url, applicationName: 'eyes', maxConnections: 2 });
  }

  /** Grants of tasks whose ids begin so. */
  grants(prefix: string): Promise<KnownGrant[]> {
    return this.#ledger.run(
      '',
      `select task_id as "taskId", id as "grantId", token_accessor as accessor from ledger.task_grant where task_id like $1 || '%'`,
      [prefix],
    );
  }

  /** How many of a tenant's grants are in each state. */
  async states(tenant: string): Promise<Readonly<Record<string, number>>> {
    const rows = await this.#ledger.run<{ state: string; count: number }>(
      '',
      'select state, count(*)::int as count from ledger.task_grant where tenant = $1 group by state',
      [tenant],
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  /** Leases of a tenant that can be fetched. */
  async deliverable(tenant: string): Promise<number> {
    const [row] = await this.#ledger.run<{ count: number }>(
      '',
      `select count(*)::int as count from ledger.lease l join ledger.task_grant g on g.id = l.grant_id where g.tenant = $1 and l.state = 'active'`,
      [tenant],
    );
    return row?.count ?? 0;
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }
}

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { plusSeconds, type GrantId, type LeaseRef, type OrderId } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import { fillLedger, vacuum } from '../../../test/world/fill-ledger.js';
import * as store from '../src/index.js';
import type { Database, Sql } from '../src/index.js';
import { AT, capability, granted, startLedger, task, type Ledger } from './ledger.js';

/** Live grants among those that ended; the more there are, the dearer a scan looks. */
const LIVE = 4_000;
const ENDED = 30_000;
const BY = {
  tenant: 'many',
  source: 'urn:many',
  agent: 'agent-many',
  workflow: 'many',
  capability: capability(),
  policyDigest: 'sha256:one',
};
/** More than any of the statements is asked for at once, and far less than there is. */
const MOST_ROWS = 400;
const LATER = new Date('2100-01-01T00:00:00Z');

let ledger: Ledger;
let grant: Grant;
let ref: LeaseRef;
/** Rows of growing tables that each read by plans that were made when the ledger was empty, or when nothing lived. */
const readByOldPlans = new Map<string, readonly [empty: number, quiet: number]>();
beforeAll(async () => {
  ledger = await startLedger();
  const { database } = ledger;
  const one = await granted(database, { start: task(), tenant: 'many', source: 'urn:many' });
  grant = one.grant;
  ref = one.lease.ref;
  const empty = await planAll();
  await fillLedger(database, { ...BY, prefix: 'ended', count: ENDED, state: 'closed' });
  const read = await empty.rowsRead();
  await database.run(
    '',
    `insert into evidence.log (index, kind, at, by, data, previous_hash, hash, task_id)
     select n, 'k', 'then', 'test', '{}', 'hash ' || n - 1, 'hash ' || n, 'task-' || n from generate_series(0, ${ENDED}) n`,
  );
  await database.run('', 'analyze evidence.log');
  await vacuum(database);
  const quiet = await planAll();
  await fillLedger(database, { ...BY, prefix: 'live', count: LIVE, state: 'granted' });
  await database.run('', LIVE_LEASES);
  for (const [what, rows] of await quiet.rowsRead()) readByOldPlans.set(what, [read.get(what)!, rows]);
  await vacuum(database);
}, 120_000);
afterAll(() => ledger?.stop());

/** Every second of those who live has a lease that lives, every other one has one that is to end. */
const LIVE_LEASES = `insert into ledger.lease (ref, grant_id, name, state, prior_state, vault_lease_id, principal, minter, intended_at, issued_at, expires_at, cause, requested_at)
  select 'l' || substr(id, 2), id, 'secret', case when odd then 'active' else 'revoking' end, case when odd then 'minting' else 'active' end, 'live/' || id, 'w-' || id, 'issuer',
    now() - interval '2 hours', now(), now() + interval '1 hour', case when not odd then 'superseded' end, case when not odd then now() end
  from (select id, row_number() over () % 2 = 1 as odd from ledger.task_grant where task_id like 'live-%') as live`;

/** Runs each once in one session, so that its plan is made. */
async function planAll(): Promise<{ rowsRead(): Promise<Map<string, number>> }> {
  const session = store.openDatabase({ url: ledger.url, applicationName: 'early', maxConnections: 1, keepsPlans: true });
  for (const [, work] of CASES) await undone(session, (sql) => work(sql, grant));
  return {
    async rowsRead() {
      const read = new Map<string, number>();
      for (const [what, work] of CASES) read.set(what, await rowsRead(session, (sql) => work(sql, grant)));
      await session.close();
      return read;
    },
  };
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Plan[];
}
/** Tables that grow with what was ever done. */
const GROWING = new Set(['task_grant', 'credential', 'lease', 'inbox', 'log']);
const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** Does it, and takes it back. */
async function undone(database: Database, work: (sql: Sql) => Promise<unknown>): Promise<void> {
  await database
    .transaction('undone', async (tx) => {
      await work(tx);
      throw new Undone();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error;
    });
}
class Undone extends Error {}

/**
 * Runs what is asked and has each of its statements explained: a named one by the plan that is kept for all values, others by theirs.
 * @returns statements that read a growing table as a whole
 */
async function scans(work: (sql: Sql) => Promise<unknown>): Promise<string[]> {
  const found: string[] = [];
  await undone(ledger.database, (tx) =>
    work({
      async run(name, text, values) {
        if (/^\s*(with|select|insert|update|delete)/i.test(text)) {
          const [row] = name
            ? await tx.run<Explained>('', `explain (generic_plan, format json) ${text}`)
            : await tx.run<Explained>('', `explain (format json) ${text}`, values);
          for (const node of nodesOf(row!['QUERY PLAN'][0].Plan)) {
            if (node['Node Type'] === 'Seq Scan' && GROWING.has(node['Relation Name'] ?? ''))
              found.push(`${name}: reads all of ${node['Relation Name']}`);
          }
        }
        return tx.run(name, text, values);
      },
    }),
  );
  return found;
}
interface Explained {
  readonly 'QUERY PLAN': [{ readonly Plan: Plan }];
}

/** Runs what is asked, and has PostgreSQL count which rows of growing tables its named statements look at. */
async function rowsRead(database: Database, work: (sql: Sql) => Promise<unknown>): Promise<number> {
  let rows = 0;
  await undone(database, (tx) =>
    work({
      async run(name, text, values) {
        const before = await readSoFar(tx);
        const answer = await tx.run<never>(name, text, values);
        if (name) rows += (await readSoFar(tx)) - before;
        return answer;
      },
    }),
  );
  return rows;
}
async function readSoFar(tx: Sql): Promise<number> {
  const tables = [...GROWING].map((table) => `'${table}'`).join();
  const [read] = await tx.run<{ rows: number }>(
    '',
    `select sum(seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_xact_user_tables where relname in (${tables})`,
  );
  return read!.rows;
}

const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `live-${String(n + 1).padStart(7, '0')}`);
const WEEK = 604_800;
const quota = (scope: 'tenant' | 'orchestrator' | 'agent', name: 'liveTasks' | 'startsPerMinute' | 'mintsPerMinute') => (sql: Sql) =>
  new store.QuotaWatch({ now: () => LATER }).exceeded(
    sql,
    { tenant: 'many', source: 'urn:many', agentId: 'agent-many' },
    [{ scope, quota: name, limit: 10 }],
    { [name]: 1 },
  );
const claimed = { claim: 1 };
async function chainAndPage(sql: Sql): Promise<void> {
  await store.stateFact(sql, { kind: 'dev.mayfly.evidence.test.v1', at: AT.toISOString(), by: 'test', data: {} });
  await store.chainFacts(sql, 10, () => undefined);
  await store.readLog(sql, 29_990, 10);
  await store.readHead(sql);
  await store.readTaskLog(sql, 'task-1');
}

const CASES: readonly (readonly [string, (sql: Sql, one: Grant) => Promise<unknown>])[] = [
  ['a start is noted', (sql) => store.noteEvents(sql, [{ source: 'urn:many', id: 'e', digest: 'sha256:e' }])],
  ['a start is looked up', (sql) => store.noteEvents(sql, [{ source: 'urn:many', id: 'filled-live-0000001', digest: 'sha256:e' }])],
  ['tasks of a batch are locked', (sql) => store.lockGrantsByTask(sql, many(50))],
  ['a task is found', (sql, { taskId }) => store.findGrantByTask(sql, taskId)],
  ['a task is locked', (sql, { taskId }) => store.lockGrantByTask(sql, taskId)],
  ['a grant is locked', (sql, { id }) => store.lockGrant(sql, id)],
  ['its credentials and leases are read', async (sql, { id }) => [await store.credentialsOf(sql, id), await store.leasesOf(sql, id)]],
  ['those of many are', async (sql, { id }) => [await store.credentialsOfAll(sql, [id]), await store.leasesOfAll(sql, [id])]],
  ['a lease is found and locked', async (sql) => [await store.findLease(sql, ref), await store.lockLease(sql, ref)]],
  ['its mints are counted', (sql, { id }) => store.countMints(sql, id)],
  [
    'a fetch is counted',
    async (sql, { id: grantId }) => [
      await store.readFetchable(sql, [{ grantId, name: 'orders' }]),
      await store.noteFetches(sql, { counted: [{ grantId, name: 'orders' }], handedOut: [ref], intents: [], at: AT }),
    ],
  ],
  ['tasks that are fetched for are read', (sql) => store.seeTasks(sql, many(32))],
  ['a lease ends', (sql) => store.transitionLease(sql, ref, 'active', 'revoking', { cause: 'task_ended', requestedAt: AT })],
  ['grants end', (sql, one) => store.endGrants(sql, [{ grant: one, end: { cause: 'task_ended', by: 'test', at: AT } }])],
  ['mints are claimed', (sql) => store.claimMints(sql, LATER, 1, 50)],
  ['revocations are claimed by turns', (sql) => store.claimRevocations(sql, LATER, 1, 50)],
  ['revocations are claimed by age', (sql) => store.claimOldestRevocations(sql, LATER, 1, 50)],
  ['a claim is settled', (sql, one) => store.settleRevocation(sql, { grant: one, ...claimed }, null)],
  [
    'overdue revocations are found',
    (sql) => store.overdueRevocations(sql, 'orders', { failedSince: AT, anySince: AT, mintedSince: AT }, 50),
  ],
  ['deadlines are watched', (sql) => store.grantsPastDeadline(sql, AT, 100)],
  ['heartbeats are watched', (sql) => store.grantsWithoutHeartbeat(sql, LATER, 100)],
  ['expiries are watched', (sql) => store.leasesPastExpiry(sql, AT, 100)],
  ['abandoned intents are watched', (sql) => store.abandonedIntents(sql, AT, 100)],
  ['behaviour is watched', (sql) => store.grantsOfOtherBehaviour(sql, 100)],
  ['who left is watched', (sql) => store.grantsOfOffboarded(sql, 100)],
  ['sub-tasks are locked', (sql, { id }) => store.lockLiveChildren(sql, [id])],
  ['tool calls are judged', (sql) => store.readStandings(sql, many(64))],
  ['use is locked', (sql, { id }) => store.lockUsage(sql, [id])],
  [
    'tool calls are counted',
    async (sql, { taskId }) => {
      const standing = (await store.readStandings(sql, [taskId])).get(taskId)!;
      return store.countPermitted(sql, [{ standing, calls: 1, budgets: { calls: 9 }, facts: [] }]);
    },
  ],
  ['live tasks of a tenant are counted', quota('tenant', 'liveTasks')],
  ['live tasks of an orchestrator are counted', quota('orchestrator', 'liveTasks')],
  ['live tasks of an agent are counted', quota('agent', 'liveTasks')],
  ['starts of a minute are counted', quota('agent', 'startsPerMinute')],
  ['mints of a minute are counted', quota('tenant', 'mintsPerMinute')],
  [
    'failures are counted',
    (sql) =>
      store.readBreaker(
        sql,
        { source: 'urn:many', workflow: 'many', agentId: 'agent-many' },
        { failures: 3, withinSeconds: 60, openForSeconds: 60 },
      ),
  ],
  ['facts are chained, and the log is paged', (sql) => chainAndPage(sql)],
  ['policy sets in use are looked for', (sql) => store.setsInUse(sql)],
  ['earlier policy sets are looked for', (sql) => store.unsettledSets(sql)],
  ['an earlier policy set is settled', (sql) => store.settleSet(sql, 'sha256:none', '1')],
  ['tokens are explained', (sql) => store.unnamedTokens(sql, many(50))],
  ['leases are explained', (sql) => store.unnamedLeases(sql, many(50))],
  ['certificates are explained', (sql) => store.unnamedCertificates(sql, many(50))],
  [
    'logins are explained',
    (sql) =>
      store.unexplainedPrincipals(
        sql,
        many(50).map((name) => ({ name, grantId: name })),
      ),
  ],
  ['a tainted secret is refused', (sql) => store.isTainted(sql, 'orders-db.read', 'v1')],
  ['revoked serials are listed', (sql) => store.revokedSerials(sql, 'orders-db.read', plusSeconds(AT, WEEK))],
  ['tokens without use are found', (sql, { id }) => store.idleTokens(sql, id)],
  ['an operator looks at the newest', (sql) => store.listGrants(sql, { limit: 50 })],
  ['an operator looks at one agent', (sql) => store.listGrants(sql, { agent: 'agent-many', limit: 50 })],
  ['a kill switch selects an agent', (sql) => store.lockSelected(sql, { field: 'agent', value: 'agent-many' }, 100)],
  ['a kill switch selects a capability', (sql) => store.lockSelected(sql, { field: 'capability', value: 'orders-db.read' }, 100)],
  [
    'what a kill switch means is counted, noted and followed',
    async (sql, { id: grantId }) => {
      const order = {
        id: 'o' as OrderId,
        selector: { field: 'agent', value: 'agent-many' },
        reason: 'r',
        operator: 'o',
        orderedAt: AT,
      } as const;
      await store.countSelected(sql, { field: 'taskId', value: 'live-0000001' }, 10);
      await store.insertOrder(sql, order);
      await store.noteEndingBefore(sql, order);
      await store.noteOrderGrants(sql, order, [grantId]);
      await store.orderProgress(sql, order.id);
    },
  ],
  ['whom a security event names is found', (sql) => store.grantsOfSubject(sql, { tenant: 'many', initiators: ['i'] }, '', 100)],
  ['who holds a capability is found', (sql) => store.grantsHolding(sql, ['orders-db.read'], 100)],
  ['who holds a capability that nobody has is found', (sql) => store.grantsHolding(sql, ['none'], 100)],
  ['tasks whose tokens are gone are found', (sql) => store.grantsWithoutToken(sql, many(50), AT, 100)],
  ['leases that are gone are found', (sql) => store.leasesWithoutName(sql, capability(), many(50), AT, 100)],
  [
    'whom another policy set touches is found',
    (sql) => store.affectedGrants(sql, 'sha256:one', [{ agents: ['agent-many'], capabilities: ['orders-db.read'] }], '', 100),
  ],
  ['whole grants are read', (sql) => store.findWholeGrants(sql, many(32) as GrantId[])],
  ['tasks are known', async (sql) => [await store.knownTasks(sql, many(50)), await store.grantsOfTasks(sql, many(50))]],
  [
    'grants are locked',
    async (sql) => [await store.lockGrants(sql, many(50) as GrantId[]), await store.lockGrantRows(sql, many(50) as GrantId[], 'skip')],
  ],
  ['leases are looked up', (sql) => store.leasesByRef(sql, many(50) as unknown as LeaseRef[])],
  ['tokens are kept', (sql, { id }) => store.keepTaskTokens(sql, [{ id, sealed: 's', accessor: 'a', opens: [] }])],
  [
    'a token is replaced',
    async (sql, { id, taskId }) => {
      await store.keepTaskTokens(sql, [{ id, sealed: 's', accessor: 'a', opens: [] }]);
      await store.narrowToken(sql, id, ['orders-db.read'], AT);
      await store.widenToken(sql, id, 'orders-db.read', AT);
      const seen = (await store.findGrantByTask(sql, taskId))!;
      await store.replaceTaskToken(sql, seen, [], { sealed: 't', accessor: 'b', opens: [] }, AT);
      await store.noteTokenGone(sql, 'a', 'p', AT);
    },
  ],
  [
    'claims are renewed and settled',
    async (sql, one) => {
      const claims = [{ grant: one, ...claimed }];
      await store.renewMints(sql, claims, AT, 60);
      await store.settleMints(sql, claims);
      await store.settleRevocations(sql, [{ claim: claims[0]!, next: null }]);
      await store.queueRevocations(sql, [one.id], AT, 'task_ended');
      await store.hurryRevocation(sql, one.id, AT);
    },
  ],
  [
    'behaviour is raised and forgiven',
    async (sql, one) => {
      await store.raiseBehaviour(sql, one.id, 'suspended');
      await store.noteBehaviourDecided(sql, one);
      await store.reinstateBehaviour(sql, one.taskId);
    },
  ],
  [
    'a quarantine is noted',
    async (sql, one) => {
      const [credential] = await store.credentialsOf(sql, one.id);
      const lease = (await store.transitionLease(sql, ref, 'active', 'revoking', { cause: 'superseded', requestedAt: AT }))!;
      await store.noteQuarantine(sql, { grant: one, credential: credential!, lease, reason: 'r', principals: 1, at: AT });
    },
  ],
  [
    'use is reported and saved',
    async (sql, { id }) => [
      await store.reportUsage(sql, id, { rows: 1, bytes: 1 }),
      await store.saveUsage(sql, id, { calls: 1, refused: 1 }),
    ],
  ],
  ['initiators are looked up', (sql) => store.offboardedAmong(sql, [{ tenant: 'many', id: 'i' }])],
  ['a task’s entries are read', (sql) => store.readTaskEntries(sql, 'task-1')],
  ['a grant is amended', (sql, { id }) => store.amendGrant(sql, id, 'granted', { risk: 1 })],
  [
    'a lease is amended',
    async (sql) => [await store.amendLease(sql, ref, ['active'], { expiresAt: AT }), await store.noteMinted(sql, ref, {})],
  ],
];

test.each(CASES)('whatever the ledger holds, it is not read as a whole when %s', async (_, work) => {
  expect(await scans((sql) => work(sql, grant))).toEqual([]);
  expect(await rowsRead(ledger.database, (sql) => work(sql, grant))).toBeLessThanOrEqual(MOST_ROWS);
});

test.each(CASES.map(([what]) => what))(
  'plans that were made while the ledger was empty, or nothing lived, are right later when %s',
  (what) => {
    expect(Math.max(...readByOldPlans.get(what)!)).toBeLessThanOrEqual(MOST_ROWS);
  },
);

test('open revocations are counted without reading any other lease', async () => {
  expect(await scans((sql) => store.countOpenRevocations(sql))).toEqual([]);
  expect(await rowsRead(ledger.database, (sql) => store.countOpenRevocations(sql))).toBeLessThanOrEqual(LIVE / 2);
});

test('a page of those whom another policy set touches is found without reading those who ended', async () => {
  const slices = [{ agents: ['agent-many'], capabilities: ['orders-db.read'] }];
  expect(
    await scans(async (sql) => {
      expect(await store.affectedGrants(sql, 'sha256:one', slices, '', 100)).toHaveLength(100);
    }),
  ).toEqual([]);
});

test('the test tells: a table that is read as a whole is found', async () => {
  expect(
    await scans((sql) => sql.run('', `select from ledger.lease where proof is not null and ref <> $1`, [ref as GrantId | LeaseRef])),
  ).toEqual([': reads all of lease']);
});

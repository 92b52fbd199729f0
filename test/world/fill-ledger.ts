/**
 * Grants by the hundred thousand, written straight into the ledger: for what is measured beside them, not for what is measured.
 *
 * A live one has no token and no lease, as a task that has just been granted something: nobody walks, mints or revokes for it. An ended one
 * has a lease that was proven dead. What is in the log of evidence is not made up.
 */
import { digestOf, type Capability } from '@mayfly/domain';
import type { Sql } from '@mayfly/postgres';

export interface Fill {
  /** Task ids begin so. */
  readonly prefix: string;
  readonly count: number;
  readonly state: 'granted' | 'closed';
  readonly tenant: string;
  readonly source: string;
  readonly agent: string;
  readonly workflow: string;
  /** The catalogue's entry of what each of them asked for and was permitted. */
  readonly capability: Capability;
  /** The set that it was permitted by. */
  readonly policyDigest: string;
}

/** Rows of one statement, so that none takes longer than a statement may. */
const AT_ONCE = 10_000;

/** Writes them. The tables have to be analyzed when all are there: {@link analyze}. */
export async function fillLedger(sql: Sql, fill: Fill): Promise<void> {
  const intent = { purpose: 'be one of many', plan: [] };
  const request = { workflow: { name: fill.workflow }, agent: { id: fill.agent }, intent, risk: 0 };
  const values = [
    fill.prefix,
    JSON.stringify({ ...request, credentials: [{ name: 'secret', capability: fill.capability.name }] }),
    digestOf(intent),
    JSON.stringify(fill.capability),
    fill.tenant,
    fill.source,
    fill.agent,
    fill.workflow,
    fill.policyDigest,
    fill.capability.name,
  ];
  for (let from = 0; from < fill.count; from += AT_ONCE) {
    const range = [from + 1, Math.min(from + AT_ONCE, fill.count)];
    await sql.run('', fill.state === 'granted' ? LIVE : ENDED, [...values, ...range]);
  }
}

const FILLED = ['task_grant', 'credential', 'lease', 'inbox'];

/** Has the planner know what there is. */
export async function analyze(sql: Sql): Promise<void> {
  for (const table of FILLED) await sql.run('', `analyze ledger.${table}`);
}

/** The same, and clears away what was written by the hundred thousand. Of a million rows it takes longer than a statement of ours may. */
export async function vacuum(sql: Sql): Promise<void> {
  for (const table of FILLED) await sql.run('', `vacuum (analyze) ledger.${table}`);
}

/** Ids as ours are: a letter and 20 of base32. */
const id = (letter: string): string => `'${letter}' || translate(substr(md5('${letter}' || task), 1, 20), '0189', 'wxyz')`;
const TASKS = `task as (select $1 || '-' || lpad(n::text, 7, '0') as task, n from generate_series($11::int, $12::int) as n)`;
const grants = (state: string, prior: string, more: string, values: string): string => `
  grants as (
    insert into ledger.task_grant (id, task_id, tenant, source, state, prior_state, request, request_digest, intent_digest, agent_id, workflow,
      policy_digest, start_event_id, opened_at, deadline${more})
    select ${id('g')}, task, $5, $6, '${state}', '${prior}', $2::jsonb || jsonb_build_object('taskId', task), $3, $3, $7, $8,
      $9, 'filled-' || task, now() - interval '2 hours' + n * interval '1 millisecond', now() + interval '1 hour'${values} from task
    returning id, task_id
  ), credentials as (
    insert into ledger.credential (grant_id, name, position, capability, spec, permitted, decision_id, policy_digest, reasons, policies)
    select id, 'secret', 0, $10, $4::jsonb, true, 'd' || substr(id, 2), $9, '{policy-permits}', '{filled}' from grants returning grant_id
  ), seen as (
    insert into ledger.inbox (source, event_id, digest) select $6, 'filled-' || task, $3 from task
  )`;

const LIVE = `with ${TASKS}, ${grants('granted', 'requested', '', '')} select count(*) from credentials`;
const ENDED = `with ${TASKS}, ${grants('closed', 'closing', ', end_cause, end_outcome, end_requested_at, closed_at', `, 'task_ended', 'succeeded', now() - interval '1 hour', now() - interval '1 hour'`)}
  insert into ledger.lease (ref, grant_id, name, state, prior_state, vault_lease_id, principal, minter, intended_at, issued_at, expires_at, cause, requested_at, confirmed_at)
  select 'l' || substr(grant_id, 2), grant_id, 'secret', 'revoked', 'revoking', 'filled/' || grant_id, 'v-' || grant_id, 'issuer', now() - interval '2 hours',
    now() - interval '2 hours', now() - interval '1 hour', 'task_ended', now() - interval '1 hour', now() - interval '1 hour' from credentials`;

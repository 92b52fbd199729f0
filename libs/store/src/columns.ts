/**
 * From rows to records and back: one list per table says which column holds which field.
 * @module
 */
import type { Credential, Grant, Lease } from '@mayfly/grant';
import { sha256, type TaskStart } from '@mayfly/domain';

type Columns<T> = { readonly [Field in keyof Required<T>]: string };

/** Columns of `ledger.task_grant`. */
export const GRANT: Columns<Grant> = {
  id: 'id',
  taskId: 'task_id',
  tenant: 'tenant',
  source: 'source',
  state: 'state',
  request: 'request',
  requestDigest: 'request_digest',
  intentDigest: 'intent_digest',
  agentId: 'agent_id',
  risk: 'risk',
  behaviour: 'behaviour',
  initiatorOffboarded: 'initiator_offboarded',
  parentGrantId: 'parent_grant_id',
  delegationDepth: 'delegation_depth',
  deadline: 'deadline',
  policyDigest: 'policy_digest',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  startEventId: 'start_event_id',
  sealedToken: 'sealed_token',
  tokenAccessor: 'token_accessor',
  lostCapabilities: 'lost_capabilities',
  tokenCapabilities: 'token_capabilities',
  heartbeatAt: 'heartbeat_at',
  heartbeatTimeoutSeconds: 'heartbeat_timeout_seconds',
  endCause: 'end_cause',
  endDrift: 'end_drift',
  endOutcome: 'end_outcome',
  endEventId: 'end_event_id',
  openedAt: 'opened_at',
  endRequestedAt: 'end_requested_at',
  closedAt: 'closed_at',
  revokeAttempts: 'revoke_attempts',
};

/** Columns of `ledger.credential`. */
export const CREDENTIAL: Columns<Credential> = {
  grantId: 'grant_id',
  name: 'name',
  capability: 'capability',
  spec: 'spec',
  ttlSeconds: 'ttl_seconds',
  permitted: 'permitted',
  decisionId: 'decision_id',
  policyDigest: 'policy_digest',
  reasons: 'reasons',
  policies: 'policies',
  fetches: 'fetches',
};

/** Columns of `ledger.lease`. */
export const LEASE: Columns<Lease> = {
  ref: 'ref',
  grantId: 'grant_id',
  name: 'name',
  state: 'state',
  vaultLeaseId: 'vault_lease_id',
  principal: 'principal',
  minter: 'minter',
  intendedAt: 'intended_at',
  issuedAt: 'issued_at',
  expiresAt: 'expires_at',
  deliveredAt: 'delivered_at',
  cause: 'cause',
  drift: 'drift',
  causeEventId: 'cause_event_id',
  requestedAt: 'requested_at',
  quarantinedAt: 'quarantined_at',
  confirmedAt: 'confirmed_at',
  proof: 'proof',
  lastProblem: 'last_problem',
};

/** The select list of a table, with its alias in front where joins need it. */
export const selectList = (columns: Readonly<Record<string, string>>, alias?: string): string =>
  Object.values(columns)
    .map((column) => (alias ? `${alias}.${column}` : column))
    .join(', ');

/** A row that came as an array of its columns' values. */
export const rowOf = (columns: Readonly<Record<string, string>>, values: readonly unknown[]): Record<string, unknown> =>
  Object.fromEntries(Object.values(columns).map((column, index) => [column, values[index]]));

const read = <T>(columns: Readonly<Record<string, string>>, row: object): T => {
  const record: Record<string, unknown> = {};
  for (const [field, column] of Object.entries(columns)) {
    const value = (row as Record<string, unknown>)[column];
    if (value !== null && value !== undefined) record[field] = value;
  }
  return record as T;
};

/** JSON has no dates: the one date inside a stored task is revived here. */
const reviveTask = (request: TaskStart): TaskStart => (request.deadline ? { ...request, deadline: new Date(request.deadline) } : request);

/** A row of `ledger.task_grant` as a record. */
export const readGrant = (row: object): Grant => {
  const grant = read<Grant>(GRANT, row);
  return grant.request ? { ...grant, request: reviveTask(grant.request) } : grant;
};
/** A row of `ledger.credential` as a record. */
export const readCredential = (row: object): Credential => read(CREDENTIAL, row);
/** A row of `ledger.lease` as a record. */
export const readLease = (row: object): Lease => read(LEASE, row);

/**
 * `column = $n` for each field of a patch, and the values for it. Never name a key that stays as it is: PostgreSQL locks a row whose key is
 * set as one whose key changes, and whoever points at it waits.
 */
export function assignments(
  columns: Readonly<Record<string, string>>,
  patch: object,
  firstParameter: number,
): { list: string; values: unknown[] } {
  const entries = Object.entries(patch);
  return {
    list: entries.map(([field], position) => `${columns[field]} = $${firstParameter + position}`).join(', '),
    values: entries.map(([, value]) => stored(value)),
  };
}

/** Changes to many rows as one JSON text for `jsonb_populate_recordset`, and what to set from it. All of them have the same fields. */
export function rowsOf(
  columns: Readonly<Record<string, string>>,
  changes: readonly (readonly [key: object, patch: object])[],
): { list: string; rows: string } {
  const named = (fields: object): [string, unknown][] => Object.entries(fields).map(([field, value]) => [columns[field]!, value]);
  const rows = changes.map(([key, patch]) => Object.fromEntries([...named(key), ...named(patch)]));
  return {
    list: named(changes[0]?.[1] ?? {})
      .map(([column]) => `, ${column} = new.${column}`)
      .join(''),
    rows: JSON.stringify(rows),
  };
}

/** Names a statement whose text depends on which fields there are, so that each form of it is planned once and not at every run. */
export const nameOf = (what: string, fields: object): string =>
  `${what}.${sha256(Object.keys(fields).join()).slice('sha256:'.length).slice(0, 16)}`;

/** Objects go into jsonb as text; arrays and dates are the driver's business. */
export const stored = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && !(value instanceof Date) && !Array.isArray(value) ? JSON.stringify(value) : value;

-- Revocations are served by lane, and inside a lane by turns between the tenants (libs/revocation/src/lanes.ts).
create table ledger.revocation_lane (
  lane smallint not null constraint revocation_lane_pk primary key,
  name text     not null constraint revocation_lane_named_once unique
);
insert into ledger.revocation_lane (lane, name) values (0, 'kill'), (1, 'drift'), (2, 'end'), (3, 'expiry');

-- The first lane that anything asked for this grant belongs to; means something only while revoke_at is set.
alter table ledger.task_grant
  add column revoke_lane smallint not null default 2 constraint task_grant_lane references ledger.revocation_lane (lane);

-- A claim walks from tenant to tenant by these, however much one of them has queued.
create index task_grant_revoke_lanes on ledger.task_grant (revoke_lane, tenant, revoke_at) where revoke_at is not null;
create index task_grant_mint_tenants on ledger.task_grant (tenant, mint_at) where mint_at is not null;

grant select on ledger.revocation_lane to mayfly_issuer, mayfly_delivery, mayfly_revoker, mayfly_drift, mayfly_console;

-- Quotas are counted where the tasks are: no counter that could drift, no row that all starts of a tenant would queue for.
create index task_grant_live_by_owner on ledger.task_grant (tenant, source, agent_id) where state in ('granted', 'closing');
create index lease_by_intent on ledger.lease (intended_at);

-- Breakers of workflows whose tasks crash again and again (libs/grant/src/breaker.ts). No row: closed, and never open before.
create table ledger.breaker (
  source     text not null,
  workflow   text not null,
  agent_id   text not null,
  state      text not null constraint breaker_state_is_known check (state in ('closed', 'open', 'half_open')),
  -- When it came into this state; failures before it are forgotten once it is closed.
  since      timestamptz not null,
  -- The one task that may try while it is half open.
  trial_task text,
  constraint breaker_pk primary key (source, workflow, agent_id),
  constraint breaker_trial_is_half_open check ((state = 'half_open') = (trial_task is not null))
);
create index task_grant_failures on ledger.task_grant (source, workflow, agent_id, end_requested_at desc)
  where end_outcome in ('failed', 'timed_out') or end_cause = 'lost_heartbeat';

grant select, insert, update on ledger.breaker to mayfly_issuer;

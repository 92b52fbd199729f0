-- The ledger: what each task was allowed, and what became of it. No secret material, ever:
-- tokens only sealed by Vault's transit engine; accessors and lease ids in their own columns, never in jsonb.
create schema ledger;

-- The state machines of libs/grant as data: an illegal step cannot be stored.
create table ledger.grant_transition (
  prior text not null,
  next  text not null,
  constraint grant_transition_pk primary key (prior, next)
);
insert into ledger.grant_transition (prior, next) values
  ('none', 'requested'), ('none', 'closed'),
  ('requested', 'denied'), ('requested', 'pending'), ('requested', 'granted'), ('requested', 'closed'),
  ('pending', 'granted'), ('pending', 'denied'), ('pending', 'closed'),
  ('granted', 'closing'), ('closing', 'closed');

create table ledger.lease_transition (
  prior text not null,
  next  text not null,
  constraint lease_transition_pk primary key (prior, next)
);
insert into ledger.lease_transition (prior, next) values
  ('none', 'minting'),
  ('minting', 'active'), ('minting', 'failed'), ('minting', 'revoking'),
  ('active', 'revoking'),
  ('revoking', 'revoked'), ('revoking', 'expired'), ('revoking', 'access_ended'), ('revoking', 'stuck'),
  ('stuck', 'revoking');

-- A row's `prior_state` is the state it came from; the trigger forbids to rewrite history in the same row.
create function ledger.keep_prior_state() returns trigger language plpgsql as $$
begin
  if new.state is distinct from old.state then
    if new.prior_state is distinct from old.state then
      raise exception 'prior_state must be the state that is left' using errcode = 'check_violation';
    end if;
  elsif new.prior_state is distinct from old.prior_state then
    raise exception 'prior_state changes only with the state' using errcode = 'check_violation';
  end if;
  return new;
end $$;

create table ledger.inbox (
  source      text not null,
  event_id    text not null,
  digest      text not null,
  received_at timestamptz not null default now(),
  constraint inbox_event_once primary key (source, event_id)
);

create table ledger.task_grant (
  id              text not null constraint task_grant_pk primary key,
  task_id         text not null constraint task_grant_one_per_task unique,
  tenant          text not null,
  source          text not null,
  state           text not null,
  prior_state     text not null,
  -- The task as it was declared (libs/domain TaskStart); null for the tombstone of an end without a start.
  request         jsonb,
  request_digest  text,
  intent_digest   text,
  agent_id        text,
  initiator_id    text,
  workflow        text,
  risk            integer not null default 0 constraint task_grant_risk_is_percent check (risk between 0 and 100),
  parent_grant_id text constraint task_grant_parent references ledger.task_grant (id),
  delegation_depth integer not null default 0,
  deadline        timestamptz,
  policy_digest   text,
  traceparent     text,
  tracestate      text,
  start_event_id  text,
  sealed_token    text,
  token_accessor  text,
  heartbeat_at    timestamptz,
  heartbeat_timeout_seconds integer,
  end_cause       text,
  end_outcome     text,
  end_event_id    text,
  opened_at       timestamptz not null,
  end_requested_at timestamptz,
  closed_at       timestamptz,
  -- Work queues: when the issuer shall (again) mint, when the revoker shall (again) revoke. Null: nothing to do.
  mint_at         timestamptz,
  revoke_at       timestamptz,
  revoke_attempts integer not null default 0,
  constraint task_grant_legal_step foreign key (prior_state, state) references ledger.grant_transition (prior, next)
);
create trigger task_grant_keeps_history before update on ledger.task_grant for each row execute function ledger.keep_prior_state();
create index task_grant_mint_queue on ledger.task_grant (mint_at) where mint_at is not null;
create index task_grant_revoke_queue on ledger.task_grant (revoke_at) where revoke_at is not null;
create index task_grant_live_deadline on ledger.task_grant (deadline) where state = 'granted';
create index task_grant_live_heartbeat on ledger.task_grant (heartbeat_at) where state = 'granted' and heartbeat_timeout_seconds is not null;
create index task_grant_live_policy on ledger.task_grant (policy_digest, id) where state = 'granted';
create index task_grant_children on ledger.task_grant (parent_grant_id) where parent_grant_id is not null;
create index task_grant_by_time on ledger.task_grant (opened_at desc, id desc);
create index task_grant_by_agent on ledger.task_grant (agent_id, opened_at desc);

create table ledger.credential (
  grant_id      text not null references ledger.task_grant (id),
  name          text not null,
  position      integer not null,
  capability    text not null,
  -- The catalogue's entry as it was when this was decided (libs/domain Capability): ending must not depend on today's catalogue.
  spec          jsonb,
  ttl_seconds   integer,
  permitted     boolean not null,
  decision_id   text not null,
  policy_digest text not null,
  reasons       text[] not null default '{}',
  policies      text[] not null default '{}',
  fetches       integer not null default 0,
  constraint credential_pk primary key (grant_id, name),
  constraint credential_permit_has_spec check (not permitted or spec is not null)
);
create index credential_by_capability on ledger.credential (capability, grant_id);

create table ledger.lease (
  ref             text not null constraint lease_pk primary key,
  grant_id        text not null,
  name            text not null,
  state           text not null,
  prior_state     text not null,
  vault_lease_id  text,
  principal       text,
  minter          text not null constraint lease_minter_is_known check (minter in ('issuer', 'delivery')),
  intended_at     timestamptz not null,
  issued_at       timestamptz,
  expires_at      timestamptz,
  delivered_at    timestamptz,
  cause           text,
  cause_event_id  text,
  requested_at    timestamptz,
  confirmed_at    timestamptz,
  proof           jsonb,
  last_problem    text,
  constraint lease_of_credential foreign key (grant_id, name) references ledger.credential (grant_id, name),
  constraint lease_legal_step foreign key (prior_state, state) references ledger.lease_transition (prior, next),
  constraint lease_end_has_cause check (state not in ('revoking', 'revoked', 'expired', 'access_ended', 'stuck') or cause is not null)
);
create trigger lease_keeps_history before update on ledger.lease for each row execute function ledger.keep_prior_state();
-- At most one usable credential per credential slot, whoever asks how often.
create unique index lease_one_live on ledger.lease (grant_id, name) where state in ('minting', 'active');
create index lease_by_grant on ledger.lease (grant_id);
create index lease_live_expiry on ledger.lease (expires_at) where state = 'active' and expires_at is not null;
create index lease_open_revocations on ledger.lease (state) where state in ('revoking', 'stuck');
create index lease_by_principal on ledger.lease (principal) where principal is not null;
create index lease_stale_minting on ledger.lease (intended_at) where state = 'minting';

-- Events leave by this table: written with the change, published and deleted by the owner's relay.
create table ledger.outbox (
  id         bigint generated always as identity constraint outbox_pk primary key,
  owner      text not null,
  event      jsonb not null,
  written_at timestamptz not null default now()
);
create index outbox_by_owner on ledger.outbox (owner, id);

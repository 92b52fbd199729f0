-- How a task behaves: raised step by step by refused calls (libs/grant/src/behaviour.ts), lowered only by an operator. Beside it, under which
-- behaviour the grant was decided last: where the two differ it has still to be decided again (drift).
alter table ledger.task_grant
  add column behaviour text not null default 'normal',
  add column behaviour_decided text not null default 'normal',
  add constraint task_grant_behaviour_is_known check (behaviour in ('normal', 'warned', 'narrowed', 'suspended')),
  add constraint task_grant_behaviour_decided_is_known check (behaviour_decided in ('normal', 'warned', 'narrowed', 'suspended'));
create index task_grant_behaviour_moved on ledger.task_grant (id) where state = 'granted' and behaviour <> behaviour_decided;

-- What a task has used of its budgets, and how often it was refused. A row of its own: counting calls must not wait for whoever holds the grant.
create table ledger.task_usage (
  grant_id text   not null constraint task_usage_pk primary key references ledger.task_grant (id),
  -- Calls that were permitted.
  calls    bigint not null default 0,
  -- What callers reported.
  rows     bigint not null default 0,
  bytes    bigint not null default 0,
  -- Refused calls that count for the behaviour; an operator who reinstates the task starts them afresh.
  refused  bigint not null default 0,
  constraint task_usage_only_counts check (calls >= 0 and rows >= 0 and bytes >= 0 and refused >= 0)
) with (fillfactor = 50);

-- What was used stays used, whoever writes.
create function ledger.refuse_less_usage() returns trigger language plpgsql as $$
begin
  raise exception 'usage only ever increases' using errcode = 'check_violation';
end $$;
create trigger task_usage_only_increases before update on ledger.task_usage for each row
  when (new.calls < old.calls or new.rows < old.rows or new.bytes < old.bytes) execute function ledger.refuse_less_usage();

grant select, insert, update on ledger.task_usage to mayfly_delivery;
grant select, update on ledger.task_usage to mayfly_console;

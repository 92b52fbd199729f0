-- A kill switch is an order: written before anything is ended, so that whoever finds it after a crash can go on.
create table ledger.revocation_order (
  id         text not null constraint revocation_order_pk primary key,
  field      text not null constraint revocation_order_field_is_known
    check (field in ('taskId', 'agent', 'initiator', 'capability', 'workflow', 'tenant')),
  value      text not null,
  reason     text not null,
  operator   text not null,
  ordered_at timestamptz not null,
  -- ending: tasks are still being ended, and no new one that matches is let in; ended: all of them are ended, not all of it is confirmed;
  -- dark: the last credential is confirmed dead.
  state      text not null default 'ending' constraint revocation_order_state_is_known check (state in ('ending', 'ended', 'dark')),
  -- Admissions that were under way when the order came to be, as pg_locks names them; null before anybody looked.
  under_way  text[],
  ended_at   timestamptz,
  dark_at    timestamptz,
  constraint revocation_order_dark_has_time check ((state = 'dark') = (dark_at is not null))
);
create index revocation_order_open on ledger.revocation_order (ordered_at) where state <> 'dark';
create index revocation_order_by_time on ledger.revocation_order (ordered_at desc, id desc);

-- What an order has to see dead: the grants that it ended, those that were ending already, and their sub-tasks.
create table ledger.revocation_order_grant (
  order_id text not null references ledger.revocation_order (id),
  grant_id text not null references ledger.task_grant (id),
  -- False for a grant that was ending when the order reached it.
  ended_by_order boolean not null,
  constraint revocation_order_grant_pk primary key (order_id, grant_id)
);

-- An order looks for what lives, whatever else there is.
create index task_grant_unended on ledger.task_grant (id) where state in ('requested', 'pending', 'granted');

-- Orders that let nobody in. Whoever admits a task asks this in the transaction that writes it, and holds the lock until that is over: an
-- order that it does not see waits for it (libs/store/src/revocation-orders.ts). Two statements, so that the second one sees what was
-- committed before the lock was held.
create function ledger.orders_in_force() returns table (field text, value text) language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock_shared(4701004);
  return query select o.field, o.value from ledger.revocation_order o where o.state = 'ending';
end $$;

grant select on ledger.revocation_order to mayfly_issuer;
grant select, insert, update on ledger.revocation_order to mayfly_console;
grant select, insert on ledger.revocation_order_grant to mayfly_console;

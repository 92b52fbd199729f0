-- Applied policy sets are kept for ever; exactly one is current.
create schema policy;

create table policy.set (
  digest     text not null constraint set_pk primary key,
  files      jsonb not null,
  applied_by text not null,
  applied_at timestamptz not null
);

create table policy.current (
  singleton boolean not null default true constraint current_pk primary key constraint current_is_one check (singleton),
  digest    text not null references policy.set (digest),
  since     timestamptz not null
);

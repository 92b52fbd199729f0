-- A policy set is kept with the signature of whoever stands behind it: every service verifies it, so that writing here is not enough to decide.
alter table policy.set add column signature text;

-- Which set became the current one, when, by whom and why: applied, or gone back to.
create table policy.switch (
  id         bigint generated always as identity constraint switch_pk primary key,
  kind       text not null constraint switch_kind_is_known check (kind in ('applied', 'rolled_back')),
  digest     text not null references policy.set (digest),
  -- The set that was current before; null for the first.
  previous   text references policy.set (digest),
  operator   text not null,
  reason     text,
  -- `kid` of the key that signed the set; null for an unsigned one.
  signer     text,
  at         timestamptz not null,
  constraint switch_changes_something check (previous is distinct from digest)
);

insert into policy.switch (kind, digest, operator, at)
  select 'applied', digest, applied_by, since from policy.current join policy.set using (digest);

grant update (signature) on policy.set to mayfly_console;
grant select, insert on policy.switch to mayfly_console;

-- What a grant has lost since its start, and what its current token opens: where the two contradict, the issuer makes another token.
alter table ledger.task_grant
  add column lost_capabilities text[] not null default '{}',
  -- Null: no token yet, or one that was made before this was written down and opens all that was permitted.
  add column token_capabilities text[];

-- Tokens whose place was taken. Nobody holds their secrets any more; leases that were minted with one live on under it until they end.
create table ledger.retired_token (
  accessor   text not null constraint retired_token_pk primary key,
  grant_id   text not null constraint retired_token_of_grant references ledger.task_grant (id),
  -- No lease that was intended later hangs on it.
  retired_at timestamptz not null,
  gone_at    timestamptz,
  -- What Vault answered; never without the moment.
  proof      text,
  constraint retired_token_gone_has_proof check ((gone_at is null) = (proof is null))
);
create index retired_token_living on ledger.retired_token (grant_id) where gone_at is null;

grant select, insert on ledger.retired_token to mayfly_issuer;
grant select, update on ledger.retired_token to mayfly_revoker;

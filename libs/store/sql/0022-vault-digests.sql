-- What each capability is in Vault, as the revoker reads it there, beside what the catalogue declared at that moment.
create table ledger.vault_digest (
  capability text not null constraint vault_digest_pk primary key,
  -- Null: the catalogue declares nothing, so nobody compares.
  declared   text,
  -- Null: its policy or its role is not in Vault.
  found      text,
  -- Since when both are what they are.
  since      timestamptz not null
);

grant select on ledger.vault_digest to mayfly_issuer, mayfly_delivery, mayfly_revoker, mayfly_drift, mayfly_console;
grant insert, update on ledger.vault_digest to mayfly_revoker;

-- Proofs of possession (DPoP, RFC 9449) that were used, so that none is used twice, at whichever replica. A row is a digest of key and
-- proof id: it says nothing of either, and has one size whatever they are.
create table ledger.used_proof (
  proof bytea primary key,
  -- From then on it is too old to be used, wherever the clock is slowest.
  forget_at timestamptz not null,
  constraint proof_is_a_digest check (octet_length(proof) = 32)
);
create index used_proof_forget_at on ledger.used_proof (forget_at);

grant select, insert, update, delete on ledger.used_proof to mayfly_delivery;

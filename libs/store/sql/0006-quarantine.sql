-- When a credential was ended at its target itself because the secrets engine could not (yet). The lease is `revoked` only once all is proven.
alter table ledger.lease add column quarantined_at timestamptz;

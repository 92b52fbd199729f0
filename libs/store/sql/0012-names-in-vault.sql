-- The reconcilers ask by what Vault calls things.
create index task_grant_by_accessor on ledger.task_grant (token_accessor) where token_accessor is not null and state in ('granted', 'closing');
create index lease_by_vault_id on ledger.lease (vault_lease_id) where vault_lease_id is not null and state in ('minting', 'active', 'revoking', 'stuck');

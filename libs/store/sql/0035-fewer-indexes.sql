-- Indexes that every start, end and event paid for, and that nothing looks into.

-- Whoever reads an outbox reads its owner's.
alter table ledger.outbox drop constraint outbox_pk, add constraint outbox_pk primary key (owner, id);
drop index ledger.outbox_by_owner;

-- What waits is taken by tenant (task_grant_mint_tenants).
drop index ledger.task_grant_mint_queue;

-- The index of a record is unique, and its hash covers it: two records with one hash there cannot be. Nobody looks for a record by its hash.
alter table evidence.log drop constraint log_hash_once;

-- The intake is empty a moment later; where it is not, one task's facts among those that wait are looked for by an operator only.
drop index evidence.intake_by_task;

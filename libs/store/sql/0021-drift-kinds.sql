-- Why the world moved, beside the cause on the wire (libs/domain, DRIFTS): the same cause can come from a policy, a registration or a signal.
alter table ledger.task_grant
  add column end_drift text,
  add constraint task_grant_drift_has_cause check (end_drift is null or end_cause is not null);
alter table ledger.lease
  add column drift text,
  add constraint lease_drift_has_cause check (drift is null or cause is not null);

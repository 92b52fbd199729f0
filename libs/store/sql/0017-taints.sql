-- A stored object that was read by a task which had to be stopped is not handed out again in that version (libs/revocation, taint.ts).
create index lease_tainting on ledger.lease (principal)
  where delivered_at is not null and cause in ('behaviour_drift', 'risk_signal', 'operator');
-- What targets that check by themselves are told not to accept (console).
create index lease_over_but_valid on ledger.lease (expires_at) where state in ('revoking', 'stuck');

-- Who is silent for too long is looked for allowance by allowance: who may be silent for an hour is not looked at while nobody has been.
create index task_grant_live_silence on ledger.task_grant (heartbeat_timeout_seconds, heartbeat_at)
  where state = 'granted' and heartbeat_timeout_seconds is not null;
drop index ledger.task_grant_live_heartbeat;

-- Claims of a grant's minting and killing are numbered: whoever settles an older claim, or one that more work was asked for meanwhile,
-- settles nothing. Due times alone cannot tell two claims of the same millisecond apart.
alter table ledger.task_grant
  add column mint_claim integer not null default 0,
  add column revoke_claim integer not null default 0;

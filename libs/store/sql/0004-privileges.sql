-- One login role per service, each with what its work needs and no more. The roles are made by the deployment
-- (deploy/postgres); where one is missing it is made here without login, so that the grants have a name to go to.
do $$
declare name text;
begin
  foreach name in array array['issuer', 'delivery', 'revoker', 'drift', 'evidence', 'console'] loop
    if not exists (select from pg_roles where rolname = 'mayfly_' || name) then
      execute format('create role %I nologin', 'mayfly_' || name);
    end if;
  end loop;
end $$;

grant usage on schema ledger, evidence, policy to mayfly_issuer, mayfly_delivery, mayfly_revoker, mayfly_drift, mayfly_evidence, mayfly_console;

-- Everyone states facts and sends events of its own.
grant insert on evidence.intake to mayfly_issuer, mayfly_delivery, mayfly_revoker, mayfly_drift, mayfly_console;
grant insert, select, delete on ledger.outbox to mayfly_issuer, mayfly_delivery, mayfly_revoker, mayfly_drift, mayfly_evidence, mayfly_console;
grant select on policy.set, policy.current to mayfly_issuer, mayfly_delivery, mayfly_revoker, mayfly_drift, mayfly_console;
grant select on ledger.grant_transition, ledger.lease_transition to mayfly_issuer, mayfly_delivery, mayfly_revoker, mayfly_drift, mayfly_console;

grant select, insert on ledger.inbox to mayfly_issuer, mayfly_revoker, mayfly_drift;
grant select, insert, update on ledger.task_grant, ledger.credential, ledger.lease to mayfly_issuer;
grant select, insert, update on ledger.lease to mayfly_delivery;
grant select, update on ledger.task_grant, ledger.credential to mayfly_delivery;
-- The revoker inserts tombstones: an end that comes before its start.
grant select, insert, update on ledger.task_grant to mayfly_revoker;
grant select on ledger.credential to mayfly_revoker;
grant select, update on ledger.lease to mayfly_revoker;
grant select, update on ledger.task_grant, ledger.credential, ledger.lease to mayfly_drift;
grant select, update on ledger.task_grant, ledger.lease to mayfly_console;
grant select on ledger.credential to mayfly_console;

grant select, delete on evidence.intake to mayfly_evidence;
grant select, insert on evidence.log to mayfly_evidence;
grant select on evidence.intake, evidence.log to mayfly_console;
grant select, insert on policy.set to mayfly_console;
grant select, insert, update on policy.current to mayfly_console;

-- Every login role, without its password (bootstrap.mjs sets those). Safe to run again.
-- What each service may touch is granted table by table in the ledger's migrations (libs/store).
DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY[
    'mayfly_owner',      -- owns the ledger; only migrations use it
    'mayfly_issuer', 'mayfly_delivery', 'mayfly_revoker', 'mayfly_drift', 'mayfly_evidence', 'mayfly_console',
    'mayfly_probe',      -- looks at a target from outside, to prove that a login is gone
    'mayfly_quarantine', -- ends at a target what the secrets engine forgot; may become orders_admin, and does so only then
    'orders_admin'       -- OpenBao makes and ends the demo database's users with it
  ] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role);
    END IF;
    -- However many sessions the tasks' users have open: nobody keeps out who watches and ends them (`reserved_connections`).
    EXECUTE format('GRANT pg_use_reserved_connections TO %I', role);
  END LOOP;
END
$$;

-- Makes users and ends them with their open sessions; no superuser. It owns the demo's table and may so grant it.
ALTER ROLE orders_admin CREATEROLE;
GRANT pg_signal_backend TO orders_admin;

GRANT orders_admin TO mayfly_quarantine WITH INHERIT FALSE, SET TRUE;

-- See who is logged in, and who is just being let in, and no table.
GRANT pg_read_all_stats TO mayfly_probe, mayfly_quarantine;

-- Run in the ledger's own database: who may come in at all. Tables and their privileges are the migrations' work.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO mayfly_owner;
DO $$
BEGIN
  EXECUTE format('ALTER DATABASE %I OWNER TO mayfly_owner', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format(
    'GRANT CONNECT ON DATABASE %I TO mayfly_issuer, mayfly_delivery, mayfly_revoker, mayfly_drift, mayfly_evidence, mayfly_console',
    current_database());
END
$$;

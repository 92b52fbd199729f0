-- The demo target: a database `orders` with one table, for which Mayfly's agents get users that live as long as their task.
-- Run in that database. Safe to run again: rows are only written when the table is made.
DO $$
BEGIN
  IF to_regclass('public.orders') IS NULL THEN
    CREATE TABLE public.orders (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      customer text NOT NULL,
      item text NOT NULL,
      amount numeric(10, 2) NOT NULL CHECK (amount > 0),
      placed_at timestamptz NOT NULL DEFAULT now()
    );
    ALTER TABLE public.orders OWNER TO orders_admin;
    INSERT INTO public.orders (customer, item, amount) VALUES
      ('Ada', 'telescope', 420.00),
      ('Brahe', 'sextant', 180.50),
      ('Curie', 'balance', 260.00),
      ('Darwin', 'notebook', 12.40),
      ('Ekeblad', 'potato press', 31.90),
      ('Faraday', 'copper wire', 8.75);
  END IF;
END
$$;

-- What a task's user may do it has from one of these groups, into which it is put when it is made (deploy/openbao/orders-statements.mjs).
DO $$
DECLARE
  member text;
BEGIN
  FOREACH member IN ARRAY ARRAY['orders_reader', 'orders_writer', 'orders_owner'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = member) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', member);
    END IF;
    -- May hand it on, and is no member itself.
    EXECUTE format('GRANT %I TO orders_admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', member);
  END LOOP;
END
$$;
GRANT SELECT ON public.orders TO orders_reader;
GRANT SELECT, INSERT, UPDATE ON public.orders TO orders_writer;
GRANT ALL PRIVILEGES ON public.orders TO orders_owner;

-- Whoever may log in may connect, and then see nothing but what its group may.
REVOKE ALL ON DATABASE orders FROM PUBLIC;
GRANT CONNECT ON DATABASE orders TO PUBLIC;

-- A task's user belongs into its own database only: what it left in another one (anybody may own large objects) could not be dropped from
-- here, and its role would never go.
REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE template1 FROM PUBLIC;

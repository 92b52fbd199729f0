/**
 * The SQL that makes and ends a task's database user. The admin role needs CREATEROLE, pg_signal_backend, and the right to
 * grant on `orders` (it owns the table); it is no superuser.
 */

/**
 * Makes one user who may log in until the lease's end at the latest, even if nobody ever revokes it. What it may do it has from a group
 * (deploy/postgres/orders.sql): a table's own list of grants is one row of PostgreSQL's catalogue, which all would queue for, and which is
 * full after some two thousand. It may not become the group, so that nothing it leaves behind belongs to anybody else.
 * One login takes few of the server's connections: with all of them it would keep out who is to end it.
 */
export const createUser = (group) => [
  `CREATE ROLE "{{name}}" LOGIN CONNECTION LIMIT 8 PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION`,
  `GRANT ${group} TO "{{name}}" WITH INHERIT TRUE, SET FALSE`,
];

const ifThere = (statements) => `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}') THEN ${statements} END IF; END $$`;

/**
 * Ends one user and its open sessions; a user that is gone already is no error, else its lease could never end.
 * The engine's own default leaves sessions open.
 */
export const revokeUser = [
  // First nobody new gets in. Committed by itself: a login in between would otherwise still see the old role and survive.
  // An agent may change its own role (its password) in a transaction that it leaves open, and so hold the lock that this needs: its sessions
  // are thrown out first, as often as it takes, and nobody is waited for longer than half a second. All are told before the first is waited
  // for: a wait takes a tenth of a second, which with hundreds of sessions in turn were half a minute.
  `DO $$ DECLARE tries int := 0; BEGIN
     SET LOCAL lock_timeout = '500ms';
     WHILE EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}' AND rolcanlogin) LOOP
       PERFORM pg_stat_clear_snapshot();
       PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';
       PERFORM pg_terminate_backend(pid, 500) FROM pg_stat_activity WHERE usename = '{{name}}';
       BEGIN
         ALTER ROLE "{{name}}" NOLOGIN;
         EXIT;
       EXCEPTION WHEN lock_not_available OR internal_error THEN
         tries := tries + 1;
         IF tries >= 8 THEN RAISE; END IF;
       END;
     END LOOP;
   END $$`,
  'COMMIT AND CHAIN',
  // Then everybody is thrown out, and waited for (at most 2 s each).
  `SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = '{{name}}'`,
  // Then what it was granted or owns (anybody may own large objects) goes, and the role itself.
  // Since PostgreSQL 16 whoever creates a role may grant it to itself, and must before it may drop what the role owns.
  ifThere(`GRANT "{{name}}" TO CURRENT_USER WITH INHERIT TRUE, SET FALSE; DROP OWNED BY "{{name}}"; DROP ROLE "{{name}}";`),
];

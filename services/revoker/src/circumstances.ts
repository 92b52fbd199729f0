import type { Clock } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';
import type { Circumstances } from '@mayfly/revocation';
import { unexplainedPrincipals, type Database } from '@mayfly/store';

/** What is known of a grant while its leases are looked at: under one that ends, nothing may live, whatever it is called. */
export const circumstancesOf = (
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  { id, state }: Grant,
  tokenProof?: string,
): Circumstances => ({
  now: clock.now(),
  tokenProof,
  unexplained: async (principals) =>
    state === 'closing' || state === 'closed'
      ? principals
      : unexplainedPrincipals(
          database,
          principals.map((name) => ({ name, grantId: id })),
        ),
});

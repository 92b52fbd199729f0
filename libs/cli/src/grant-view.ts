/**
 * A grant as the operators' API shows it.
 * @module
 */
import { plain, table } from './show.js';

/** One lease of a credential. */
export interface LeaseView {
  readonly leaseRef: string;
  readonly state: string;
  readonly expiresAt?: string;
  readonly cause?: string;
  readonly confirmedAt?: string;
  readonly proof?: unknown;
  readonly problem?: string;
}

/** One credential of a grant. */
export interface CredentialView {
  readonly name: string;
  readonly capability: string;
  readonly shape?: string;
  readonly state: string;
  readonly reasons: readonly string[];
  readonly fetches: number;
  readonly leases: readonly LeaseView[];
}

/** A grant. */
export interface GrantView {
  readonly taskId: string;
  readonly tenant: string;
  readonly state: string;
  readonly agent: string;
  readonly workflow?: { readonly name: string; readonly version?: string };
  readonly initiator?: { readonly id: string };
  readonly risk?: number;
  readonly openedAt: string;
  readonly deadline?: string;
  readonly endCause?: string;
  readonly outcome?: string;
  readonly traceId?: string;
  readonly credentials: readonly CredentialView[];
}

/** A grant's credentials as a table. */
export const credentialsText = ({ credentials }: GrantView): string =>
  table(
    ['credential', 'capability', 'state', 'why'],
    credentials.map(({ name, capability, state, reasons }) => [name, capability, state, plain(reasons.join(', '))]),
  );

/**
 * How the credentials of one engine die. To add one, see {@link file://./table.ts}.
 * @module
 */
import type { Credential, Lease, Proof } from '@mayfly/grant';

/** One lease with its credential. */
export interface Doomed {
  readonly lease: Lease;
  readonly credential: Credential;
}

/** What became of an attempt. */
export type Verdict =
  /** Over, with what was checked. `revoked` is only ever said of a `revocable` shape. */
  | {
      readonly kind: 'over';
      readonly state: 'revoked' | 'expired' | 'access_ended';
      readonly proof: Proof;
      /** The target at which nothing of the whole grant was found, after its token was gone. */
      readonly searched?: string | undefined;
    }
  /** Nobody can end it earlier: look again then. */
  | { readonly kind: 'later'; readonly at: Date }
  /** It may still live. `problem` is a stable code. */
  | { readonly kind: 'alive'; readonly problem: string };

/** What is known when a lease is looked at. */
export interface Circumstances {
  readonly now: Date;
  /** What Vault said about the task's token, when the whole grant ends; undefined while the token lives on. */
  readonly tokenProof?: string | undefined;
  /**
   * Of these principals of the lease's grant, the ones that nothing else explains: all when the grant ends, else those that no other lease
   * names. For a lease of which nobody lived to write down what its target calls it.
   */
  readonly unexplained: (principals: readonly string[]) => Promise<readonly string[]>;
}

/** Ends the credentials of one engine and shape, proves it, and ends them past the secrets engine where that is possible. */
export interface Reaper {
  /** Asks the secrets engine to end it and waits for it. Idempotent; what it does not know is no error. @throws VaultUnavailable, or MayflyError `revoke-failed` */
  revoke(one: Doomed): Promise<void>;
  /**
   * Looks whether it is true; changes nothing. Over only when everything that can be asked says so.
   * @throws VaultUnavailable, or MayflyError `target-unavailable`: no answer is no proof
   */
  verify(one: Doomed, at: Circumstances): Promise<Verdict>;
  /**
   * Ends it at its target itself, without the secrets engine. Idempotent. Says nothing about the rest: `verify` does.
   * @param forgotten true when the secrets engine knows nothing of it any more, so that nobody else will ever remove it: it is removed too
   * @returns how many principals there were; undefined where only the secrets engine, or only time, can end it
   * @throws MayflyError `target-unavailable`
   */
  quarantine(one: Doomed, at: Circumstances, forgotten: boolean): Promise<number | undefined>;
}

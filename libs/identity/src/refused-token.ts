/**
 * Why a token was not accepted: for our logs, never for its sender.
 * @module
 */
import { InvalidToken } from '@mayfly/domain';

/** What was wrong. */
export type TokenFault =
  | 'too-large'
  | 'malformed'
  | 'unsupported-header'
  | 'unsupported-algorithm'
  | 'wrong-type'
  | 'untrusted-issuer'
  | 'keys-unavailable'
  | 'unknown-key'
  | 'bad-signature'
  | 'bad-claims'
  | 'bad-subject'
  | 'wrong-audience'
  | 'expired'
  | 'not-yet-valid'
  | 'lives-too-long'
  // Of proofs of possession:
  | 'no-proof'
  | 'not-bound'
  | 'other-key'
  | 'other-request'
  | 'replayed';

/**
 * A token that proves nothing. To the outside it is the same `invalid-token` whatever the fault, so
 * that nobody learns from it how far a forgery got. Neither message nor cause holds any of the token.
 */
export class RefusedToken extends InvalidToken {
  override readonly name = 'RefusedToken';
  constructor(
    /** For logs and metrics only. */
    override readonly cause: TokenFault,
  ) {
    super();
  }
}

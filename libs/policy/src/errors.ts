/**
 * What this library throws.
 * @module
 */
import { MayflyError } from '@mayfly/domain';

/** A policy set that cannot be used, with the file and the key that are wrong. Code `invalid-policy-set`, HTTP 400. */
export class InvalidPolicySet extends MayflyError {
  override readonly name = 'InvalidPolicySet';
  constructor(
    /** Path of the file inside the set. */
    readonly file: string,
    problem: string,
  ) {
    super('invalid-policy-set', `${file}: ${problem}`, 400, false);
  }
}

/** Nobody who may do so has signed this policy set. Code `policy-signature-refused`, HTTP 403. */
export class PolicySignatureRefused extends MayflyError {
  override readonly name = 'PolicySignatureRefused';
  constructor(message: string) {
    super('policy-signature-refused', message, 403, false);
  }
}

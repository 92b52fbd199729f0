/**
 * The signature that an event carries.
 * @module
 */
import type { Origin } from './messages.js';
import { dataDigest } from './signed-statement.js';

/** Keeps a signature together with the digest that it has to be over; nothing where there is no signature. An empty one is a wrong one. */
export const signedOf = (signature: string | undefined, data: unknown): Pick<Origin, 'signed'> =>
  signature === undefined ? {} : { signed: { signature, dataDigest: dataDigest(data) } };

/** Proofs of possession, right ones where nothing is changed. */
import { createHash, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { SECONDS, type Signer } from './issuer.js';

export const HTU = 'https://mayfly.example.org/v1/tasks/t-1';

export const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** The public half only, without anything else. */
export const publicOf = ({ jwk: { kid: _, ...key } }: Signer) => key;

export const prove = (signer: Signer, token: string, claims: object = {}, header: object = {}): Promise<string> =>
  new SignJWT({ jti: randomUUID(), htm: 'GET', htu: HTU, iat: SECONDS, ath: digestOf(token), ...claims })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: signer.alg, jwk: publicOf(signer), ...header })
    .sign(signer.privateKey);

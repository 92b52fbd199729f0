import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK } from 'jose';

export const NOW = '2026-11-22T10:00:00Z';
export const SECONDS = new Date(NOW).getTime() / 1000;
export const ETL = 'spiffe://example.org/agent/etl';

/** A signing key: its private half, and its public half as a bundle and as a JWK set show it. */
export interface Signer {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function newSigner(alg = 'ES256'): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { alg, kid, privateKey, jwk: { ...jwk, kid } };
}

export const bundle = (...signers: Signer[]) => ({ keys: signers.map(({ jwk }) => ({ ...jwk, use: 'jwt-svid' })) });
export const jwks = (...signers: Signer[]) => ({ keys: signers.map(({ jwk }) => jwk) });

/** Signs claims as they are, right ones where nothing is changed. */
export const sign = ({ alg, kid, privateKey }: Signer, claims: object = {}, header: object = {}): Promise<string> =>
  new SignJWT({ sub: ETL, aud: ['mayfly'], exp: SECONDS + 300, iat: SECONDS, ...claims })
    .setProtectedHeader({ alg, kid, ...header })
    .sign(privateKey);

export interface KeyServer {
  readonly url: string;
  /** How often it was asked. */
  readonly asked: () => number;
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

/** A key endpoint on this machine. */
export async function startKeyServer(body: unknown): Promise<KeyServer> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    self.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const self: KeyServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    asked: () => asked,
    answer: (_, response) => response.end(JSON.stringify(body)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}

export const answerWith =
  (body: unknown): KeyServer['answer'] =>
  (_, response) =>
    response.end(JSON.stringify(body));

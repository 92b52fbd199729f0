import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  policyKeyForm,
  publicKeyForm,
  RefusedToken,
  verifyStatement,
  type PolicyKey,
  type PublicKey,
  type TokenFault,
} from '@mayfly/identity';
import { CompactSign } from 'jose';
import { newSigner, type Signer } from './issuer.js';

const TYP = 'statement+jws';
let ours: Signer;
let other: Signer;
let stranger: Signer;
let keys: readonly PublicKey[];
beforeAll(async () => {
  [ours, other, stranger] = await Promise.all([newSigner(), newSigner(), newSigner()]);
  keys = [other, ours].map(registered);
});

const registered = ({ jwk, alg }: Signer): PublicKey => publicKeyForm.parse({ ...jwk, alg });
const state = ({ alg, kid, privateKey }: Signer, header: object = {}, payload: string | Uint8Array = '{"who":"é"}'): Promise<string> =>
  new CompactSign(typeof payload === 'string' ? Buffer.from(payload) : payload)
    .setProtectedHeader({ alg, kid, typ: TYP, ...header })
    .sign(privateKey);
const faultOf = (promise: Promise<unknown>): Promise<TokenFault | 'verified'> =>
  promise.then(
    () => 'verified',
    (error: unknown) => {
      expect(error).toBeInstanceOf(RefusedToken);
      return (error as RefusedToken).cause;
    },
  );

describe('a statement', () => {
  test('says by which registered key it was signed, and what', async () => {
    expect(await verifyStatement(await state(ours), TYP, keys)).toEqual({ keyId: ours.kid, claims: { who: 'é' } });
    expect(await verifyStatement(await state(other), TYP, keys)).toMatchObject({ keyId: other.kid });
  });

  test.each<[string, () => Promise<string>, TokenFault]>([
    ['of another type', () => state(ours, { typ: 'JWT' }), 'wrong-type'],
    ['of no type', () => state(ours, { typ: undefined }), 'wrong-type'],
    ['of its type in capitals', () => state(ours, { typ: TYP.toUpperCase() }), 'wrong-type'],
    ['by a key that is not registered', () => state(stranger), 'unknown-key'],
    ['by a key that it does not name', () => state(ours, { kid: undefined }), 'unknown-key'],
    ['by a stranger in the name of a registered key', () => state({ ...stranger, kid: ours.kid }), 'bad-signature'],
    ['by one registered key in the name of another', () => state({ ...other, kid: ours.kid }), 'bad-signature'],
    ['that brings its key along', () => state(stranger, { jwk: stranger.jwk, kid: ours.kid }), 'unsupported-header'],
    ['that was changed', async () => changed(await state(ours)), 'bad-signature'],
    ['that is cut', async () => (await state(ours)).slice(0, -2), 'bad-signature'],
    ['that is no JSON', () => state(ours, {}, 'who'), 'malformed'],
    ['that is no object', () => state(ours, {}, '["who"]'), 'malformed'],
    ['of more than 16384 characters', () => state(ours, {}, JSON.stringify({ who: 'a'.repeat(16_384) })), 'too-large'],
  ])('is refused %s', async (_, jws, fault) => {
    expect(await faultOf(verifyStatement(await jws(), TYP, keys))).toBe(fault);
  });

  test('is refused where nobody is registered', async () => {
    expect(await faultOf(verifyStatement(await state(ours), TYP, []))).toBe('unknown-key');
  });

  test('is signed by the one algorithm that its key is for', async () => {
    const rsa = await newSigner('RS256');
    expect(await faultOf(verifyStatement(await state(rsa), TYP, [registered(rsa)]))).toBe('verified');
    expect(await faultOf(verifyStatement(await state(rsa), TYP, [registered({ ...rsa, alg: 'PS256' })]))).toBe('bad-signature');
  });

  test('is signed by none but the algorithms that its reader takes, which by default have no Edwards curves', async () => {
    const ed = await newSigner('EdDSA');
    const edKeys: PolicyKey[] = [policyKeyForm.parse({ ...ed.jwk, alg: 'EdDSA' })];
    const statement = await state(ed);
    expect(await faultOf(verifyStatement(statement, TYP, edKeys))).toBe('unsupported-algorithm');
    expect(await faultOf(verifyStatement(statement, TYP, edKeys, ['EdDSA']))).toBe('verified');
    expect(await faultOf(verifyStatement(await state(ours), TYP, keys, ['EdDSA']))).toBe('unsupported-algorithm');
  });
});

/** Says something else under the same signature. */
const changed = (jws: string): string => {
  const [header, , signature] = jws.split('.');
  return `${header}.${Buffer.from('{"who":"me"}').toString('base64url')}.${signature}`;
};

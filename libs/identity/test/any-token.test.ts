/** Random changes of a right token: whatever they are, what is accepted says what was signed. Seeds are printed when one fails. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { createWorkloadVerifier, readTrust, RefusedToken, type WorkloadVerifier } from '@mayfly/identity';
import fc from 'fast-check';
import { bundle, newSigner, NOW, SECONDS, sign, type Signer } from './issuer.js';
import { HTU, prove } from './proofs.js';

let folder: string;
let signer: Signer;
let stranger: Signer;
let verifier: WorkloadVerifier;
let right: string;
let bound: string;
let proof: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-any-token-'));
  [signer, stranger] = await Promise.all([newSigner(), newSigner()]);
  await writeFile(join(folder, 'bundle'), JSON.stringify(bundle(signer)));
  const trust = readTrust(JSON.stringify({ trustDomains: [{ name: 'example.org', bundle: { file: join(folder, 'bundle') } }] }), 'dev');
  const proofs = { firstUse: () => Promise.resolve(true) };
  verifier = createWorkloadVerifier(trust, { clock: new ManualClock(NOW), proofs, fetch: () => Promise.reject(new Error('a request')) });
  right = await sign(signer);
  bound = await sign(signer, { cnf: { jkt: stranger.kid } });
  proof = await prove(stranger, bound);
});
afterAll(() => rm(folder, { recursive: true }));

const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
const runs = { numRuns: 500, seed };
const refused = (token: string, request?: Parameters<WorkloadVerifier['verify']>[1]): Promise<boolean> =>
  verifier.verify(token, request).then(
    () => false,
    (error: unknown) => error instanceof RefusedToken,
  );

/** Texts near the given one: characters replaced, taken out, put in, parts swapped or cut. */
const near = (text: string): fc.Arbitrary<string> => {
  const at = fc.nat(text.length - 1);
  const character = fc.constantFrom(...'ABCwxyz019-_.=~ {}"\n\u0000é');
  return fc
    .oneof(
      fc.tuple(at, character).map(([n, c]) => text.slice(0, n) + c + text.slice(n + 1)),
      at.map((n) => text.slice(0, n) + text.slice(n + 1)),
      fc.tuple(at, character).map(([n, c]) => text.slice(0, n) + c + text.slice(n)),
      at.map((n) => text.slice(0, n)),
      fc.shuffledSubarray(text.split('.')).map((parts) => parts.join('.')),
      fc.tuple(at, at).map(([a, b]) => text.slice(a) + text.slice(0, b)),
    )
    .filter((changed) => changed !== text);
};

test(`no change of a right token is accepted (FC_SEED=${seed})`, async () => {
  expect(await refused(right)).toBe(false);
  await fc.assert(
    fc.asyncProperty(
      fc.constant(null).chain(() => near(right)),
      (token) => refused(token),
    ),
    runs,
  );
});

test(`no text at all is accepted, and none does anything but be refused (FC_SEED=${seed})`, async () => {
  const part = fc.oneof(
    fc.base64String(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
    fc.string({ unit: 'binary' }),
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(text, (token) => refused(token)),
    runs,
  );
});

test(`what a stranger signs is never accepted, whatever it says (FC_SEED=${seed})`, async () => {
  const header = fc.record(
    { kid: fc.constantFrom(signer.kid, stranger.kid, ''), typ: fc.constantFrom('JWT', 'at+jwt') },
    { requiredKeys: [] },
  );
  const claims = fc.dictionary(fc.constantFrom('sub', 'aud', 'exp', 'iss', 'nbf', 'iat', 'cnf', 'jti', '__proto__'), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(header, claims, async (head, says) => refused(await sign(stranger, says, head))),
    runs,
  );
});

test(`what the right key signed is accepted only with the right audience, times and a subject of its trust domain (FC_SEED=${seed})`, async () => {
  const mutations = fc.record(
    {
      aud: fc.oneof(fc.constant('mayfly'), fc.jsonValue()),
      exp: fc.oneof(fc.integer({ min: SECONDS - 100, max: SECONDS + 100_000 }), fc.jsonValue()),
      sub: fc.oneof(fc.constantFrom('spiffe://example.org/a', 'spiffe://example.org//a', 'spiffe://example.org.evil/a'), fc.jsonValue()),
      nbf: fc.integer({ min: SECONDS - 100, max: SECONDS + 100 }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(mutations, async (says) => {
      const token = await sign(signer, says);
      const accepted = !(await refused(token));
      const { aud, exp, sub, nbf } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, any>;
      const times = Number.isInteger(exp) && exp > SECONDS - 30 && exp <= SECONDS + 86_430 && (nbf ?? 0) <= SECONDS + 30;
      const ours = [aud].flat().length === 1 && [aud].flat()[0] === 'mayfly';
      const named = typeof sub === 'string' && /^spiffe:\/\/example\.org(\/[A-Za-z0-9._-]+)+$/.test(sub);
      expect(accepted).toBe(times && ours && named);
    }),
    runs,
  );
});

test(`no change of a right proof is accepted, nor any other text in its place (FC_SEED=${seed})`, async () => {
  const request = (text: string) => ({ proof: text, method: 'GET', url: HTU });
  expect(await refused(bound, request(proof))).toBe(false);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.constant(null).chain(() => near(proof)),
        fc.string({ unit: 'binary' }),
      ),
      (text) => refused(bound, request(text)),
    ),
    runs,
  );
});

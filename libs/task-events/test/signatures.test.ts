import { beforeAll, describe, expect, test } from '@jest/globals';
import { publicKeyForm, type PublicKey } from '@mayfly/identity';
import { readSignal, readTaskEvent, RejectedEvent, signEvent, vouchFor } from '@mayfly/task-events';
import type { EventRecord, Origin, SignableEvent, Signer } from '@mayfly/task-events';
import { CompactSign, exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { binary, ENDED, raw, startData, structured } from './records.js';

const SOURCE = 'urn:example:orchestrator';
const TIME = '2026-11-22T10:00:00Z';

async function newKey(kid: string, alg = 'ES256'): Promise<{ readonly key: JWK; readonly pub: PublicKey }> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid, alg };
  const { kty, crv, x, y, n, e } = key;
  return { key, pub: publicKeyForm.parse(JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid, alg }))) };
}

let ours: Awaited<ReturnType<typeof newKey>>;
let theirs: typeof ours;
let signer: Signer;
let lenient: Signer;
beforeAll(async () => {
  [ours, theirs] = await Promise.all([newKey('ours'), newKey('theirs')]);
  signer = { source: SOURCE, signatures: 'required', keys: [ours.pub] };
  lenient = { ...signer, signatures: 'accepted' };
});

const start: SignableEvent = { id: 'e1', source: SOURCE, type: 'dev.mayfly.task.started.v1', time: TIME, data: startData() };
const record = (signature: unknown, changes: object = {}, data: unknown = startData()): EventRecord =>
  structured(data, { time: TIME, mayflysignature: signature, ...changes });

const outcome = async (event: EventRecord, by: Signer = signer, read: typeof readTaskEvent | typeof readSignal = readTaskEvent) => {
  try {
    return (await vouchFor(by, read(event) as Origin, 'mayfly')).voucher?.signer ?? 'unsigned, accepted';
  } catch (error) {
    if (error instanceof RejectedEvent) return error.reason;
    throw error;
  }
};
/** Signs any payload under any header. */
const sign = async (payload: string, header: object = {}, key = ours.key): Promise<string> =>
  new CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: 'ES256', kid: 'ours', typ: 'mayfly-event+jws', ...header })
    .sign(await importJWK(key));
const payloadOf = (jws: string): Record<string, unknown> => JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString());

describe('an orchestrator stands behind its events', () => {
  test('in structured and in binary mode, in any key order, with a time that is written otherwise', async () => {
    const signature = await signEvent(start, 'mayfly', ours.key);
    const turned = Object.fromEntries(Object.entries(startData()).reverse());
    expect(await outcome(record(signature))).toBe('ours');
    expect(await outcome(record(signature, {}, turned))).toBe('ours');
    expect(await outcome(record(signature, { time: '2026-11-22T11:00:00.000+01:00' }))).toBe('ours');
    expect(await outcome(binary(startData(), { ce_time: TIME, ce_mayflysignature: Buffer.from(signature) }))).toBe('ours');
  });
  test('ends, heartbeats and signals alike', async () => {
    const sent: [string, object, typeof readTaskEvent | typeof readSignal][] = [
      [ENDED, { taskId: 't', outcome: 'failed' }, readTaskEvent],
      ['dev.mayfly.task.heartbeat.v1', { taskId: 't' }, readTaskEvent],
      ['dev.mayfly.signal.risk.v1', { subject: { taskId: 't' }, risk: 90 }, readSignal],
    ];
    for (const [type, data, read] of sent) {
      const signature = await signEvent({ ...start, type, data }, 'mayfly', ours.key);
      expect(await outcome(record(signature, { type }, data), signer, read)).toBe('ours');
      expect(await outcome(record(undefined, { type }, data), signer, read)).toBe('unsigned');
      expect(await outcome(record(await signEvent(start, 'mayfly', ours.key), { type }, data), signer, read)).toBe('bad-signature');
    }
  });
  test('OpenLineage events by a header', async () => {
    const runId = '3f5e83fa-3480-44ff-99c5-ff943904e5e8';
    const body = { eventTime: TIME, eventType: 'COMPLETE', run: { runId }, job: { namespace: 'a b', name: 'j' }, schemaURL: 'x' };
    const source = 'urn:openlineage:a%20b';
    const named = { id: `${runId}.COMPLETE.2026-11-22T10:00:00.000Z`, source, type: 'io.openlineage.run.complete', time: TIME, data: body };
    const signature = await signEvent(named, 'mayfly', ours.key);
    const read = (value: object) =>
      outcome(raw(JSON.stringify(value), { headers: { 'mayfly-signature': signature } }), { ...signer, source });
    expect(await read(body)).toBe('ours');
    expect(await read({ ...body, eventType: 'FAIL' })).toBe('bad-signature');
  });
  test.each(['ES384', 'PS256', 'RS256'])('with a key for %s', async (alg) => {
    const { key, pub } = await newKey('k', alg);
    expect(await outcome(record(await signEvent(start, 'mayfly', key)), { ...signer, keys: [ours.pub, pub] })).toBe('k');
  });
  test('without a signature only where its registration says so', async () => {
    expect(await outcome(record(undefined), lenient)).toBe('unsigned, accepted');
    await expect(vouchFor(undefined, readTaskEvent(record(undefined)), 'mayfly')).rejects.toMatchObject({ reason: 'unregistered-source' });
  });
});

describe('nobody else does', () => {
  test('[bad 23] an unsigned event', async () => {
    expect(await outcome(record(undefined))).toBe('unsigned');
  });
  test('[bad 24] a signature by a key of somebody else, by its own name and by ours', async () => {
    expect(await outcome(record(await signEvent(start, 'mayfly', theirs.key)))).toBe('signer-not-allowed');
    expect(await outcome(record(await signEvent(start, 'mayfly', { ...theirs.key, kid: 'ours' })))).toBe('bad-signature');
    // An orchestrator's own good signature under another one's name.
    const as = { ...start, source: 'urn:other' };
    expect(
      await outcome(record(await signEvent(as, 'mayfly', ours.key), { source: 'urn:other' }), {
        ...signer,
        source: 'urn:other',
        keys: [theirs.pub],
      }),
    ).toBe('signer-not-allowed');
  });
  test('[bad 25] a signature over another source, id, type, time or other data', async () => {
    const signature = await signEvent(start, 'mayfly', ours.key);
    for (const changes of [{ id: 'e2' }, { source: 'urn:other' }, { time: '2026-11-22T10:00:01Z' }, { time: undefined }]) {
      expect(await outcome(record(signature, changes))).toBe('bad-signature');
    }
    expect(await outcome(record(signature, {}, startData({ risk: 13 })))).toBe('bad-signature');
    expect(await outcome(record(signature, {}, startData({ taskId: 'etl-0043' })))).toBe('bad-signature');
    expect(await outcome(record(signature, {}, startData({ unread: 1 })))).toBe('bad-signature');
  });
  test('[bad 25] what was signed for something else, or says more or less than a statement does', async () => {
    const statement = payloadOf(await signEvent(start, 'mayfly', ours.key));
    const token = new SignJWT(statement).setProtectedHeader({ alg: 'ES256', kid: 'ours', typ: 'JWT' });
    const bad = [
      await token.sign(await importJWK(ours.key)),
      await sign(JSON.stringify({ ...statement, exp: 1 })),
      await sign(JSON.stringify({ ...statement, aud: ['mayfly', 'other'] })),
      await sign(JSON.stringify({ ...statement, data: undefined })),
      await sign(JSON.stringify({ ...statement, time: 1795341600 })),
      await sign('[]'),
      await sign('not JSON'),
    ];
    for (const signature of bad) expect(await outcome(record(signature))).toBe('bad-signature');
  });
  test('[bad 25] headers that bring a key, point to one or change what is signed', async () => {
    const statement = JSON.stringify(payloadOf(await signEvent(start, 'mayfly', ours.key)));
    const forged = async (header: object): Promise<string> => {
      const good = await sign(statement, {}, theirs.key);
      const head = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'ours', typ: 'mayfly-event+jws', ...header })).toString('base64url');
      return [head, ...good.split('.').slice(1)].join('.');
    };
    for (const header of [
      { alg: 'none' },
      { alg: 'HS256' },
      { jwk: theirs.pub },
      { jku: 'http://127.0.0.1/' },
      { crit: ['b64'], b64: false },
      { kid: ['ours'] },
    ]) {
      expect(await outcome(record(await forged(header)))).toBe('bad-signature');
    }
  });
  test('[bad 25] a signature that is empty, cut, padded or no text, even where none is needed', async () => {
    const signature = await signEvent(start, 'mayfly', ours.key);
    for (const bad of ['', 'x', signature.slice(0, -4), `${signature}=`, ` ${signature}`, signature.replaceAll('.', '')]) {
      expect(await outcome(record(bad))).toBe('bad-signature');
      expect(await outcome(record(bad), lenient)).toBe('bad-signature');
    }
    for (const bad of [7, null, {}, [signature]]) expect(await outcome(record(bad))).toBe('invalid-cloudevent');
  });
  test('[bad 26] an event that was signed for another installation', async () => {
    for (const audience of ['mayfly-staging', 'Mayfly', '', 'mayfly '])
      expect(await outcome(record(await signEvent(start, audience, ours.key)))).toBe('wrong-audience');
  });
  test('a key is public, sound and for one algorithm', async () => {
    const { kty, crv, x, y, kid, alg } = ours.pub as PublicKey & { kty: 'EC' };
    const good = { kty, crv, x, y, kid, alg };
    const weak = await newWeakRsa();
    const bad = [
      { ...good, d: ours.key.d },
      { ...good, x: y, y: x },
      { ...good, alg: 'ES384' },
      { ...good, alg: 'none' },
      { ...good, kid: '' },
      weak,
    ];
    for (const key of [...bad, { ...good, jku: 'https://x' }, { kty: 'oct', k: 'AAAA', kid, alg: 'HS256' }])
      expect(publicKeyForm.safeParse(key).success).toBe(false);
    expect(publicKeyForm.safeParse(good).success).toBe(true);
  });
});

async function newWeakRsa(): Promise<object> {
  const { generateKeyPairSync } = await import('node:crypto');
  const { n, e } = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  return { kty: 'RSA', n, e, kid: 'weak', alg: 'RS256' };
}

import { beforeAll, describe, expect, test } from '@jest/globals';
import { isTaskId, taskId } from '@mayfly/domain';
import { publicKeyForm } from '@mayfly/identity';
import {
  readTaskEvent,
  RejectedEvent,
  signEvent,
  vouchFor,
  type Signer,
  type TaskMessage,
  type TaskStartedMessage,
} from '@mayfly/task-events';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { goodStarts, mutated, mutations, seed, taskIds, textOf } from './arbitrary-events.js';
import { binary, raw, STARTED } from './records.js';

const RUNS = { numRuns: 400, seed };
const read = (text: string): TaskMessage | undefined => {
  try {
    return readTaskEvent(raw(text));
  } catch (error) {
    if (error instanceof RejectedEvent) return undefined;
    throw error;
  }
};

/** What every start holds that gets through, whatever was sent: on this a mint rests. */
function isSound({ task, envelope }: TaskStartedMessage): void {
  expect(isTaskId(task.taskId)).toBe(true);
  expect(envelope).toMatchObject({ id: expect.stringMatching(/^.{1,256}$/su), source: expect.any(String), type: STARTED });
  expect(task.agent.id).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
  expect(task.credentials.length).toBeGreaterThan(0);
  expect(task.credentials.length).toBeLessThanOrEqual(32);
  expect(new Set(task.credentials.map(({ name }) => name)).size).toBe(task.credentials.length);
  for (const { name, capability, ttlSeconds = 1 } of task.credentials) {
    expect([typeof name, typeof capability]).toEqual(['string', 'string']);
    expect(Number.isSafeInteger(ttlSeconds) && ttlSeconds > 0).toBe(true);
  }
  expect(Number.isInteger(task.risk) && task.risk >= 0 && task.risk <= 100).toBe(true);
  expect(task.deadline === undefined || !Number.isNaN(task.deadline.getTime())).toBe(true);
}

describe(`any event (FC_SEED=${seed})`, () => {
  test('that is good is read, alike in both modes', () => {
    fc.assert(
      fc.property(goodStarts, (data) => {
        const structured = readTaskEvent(raw(textOf(data)));
        expect(structured).toMatchObject({ kind: 'started', task: { taskId: data.taskId } });
        expect(readTaskEvent(binary(data)).digest).toBe(structured.digest);
        isSound(structured as TaskStartedMessage);
      }),
      RUNS,
    );
  });

  test('that is any JSON is no start, unless it is a sound one', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.jsonValue(), (value, data) => {
        expect(read(JSON.stringify(value))).toBeUndefined();
        const message = read(textOf(data));
        if (message?.kind === 'started') isSound(message);
      }),
      RUNS,
    );
  });

  test('that was good and is changed anywhere is refused, or still a sound one', () => {
    fc.assert(
      fc.property(goodStarts, mutations, (data, changes) => {
        const message = read(mutated(textOf(data), changes));
        if (message?.kind === 'started') isSound(message);
      }),
      { ...RUNS, numRuns: 2_000 },
    );
  });

  test('has one digest whatever the order of its keys, and another one for another wish', () => {
    fc.assert(
      fc.property(goodStarts, goodStarts, (one, other) => {
        const turned = Object.fromEntries(Object.entries(one).reverse());
        expect(read(textOf(turned))?.digest).toBe(read(textOf(one))?.digest);
        fc.pre(JSON.stringify(one.credentials) !== JSON.stringify(other.credentials));
        expect(read(textOf({ ...one, credentials: other.credentials }))?.digest).not.toBe(read(textOf(one))?.digest);
      }),
      RUNS,
    );
  });
});

describe(`any signed event (FC_SEED=${seed})`, () => {
  let key: JWK;
  let signer: Signer;
  beforeAll(async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    key = { ...(await exportJWK(privateKey)), kid: 'k', alg: 'ES256' };
    const { d: _, ...pub } = key;
    signer = { source: 'urn:example:orchestrator', signatures: 'required', keys: [publicKeyForm.parse(pub)] };
  });
  const vouched = async (text: string): Promise<TaskMessage | undefined> => {
    const message = read(text);
    if (!message || message.envelope.source !== signer.source) return undefined;
    return vouchFor(signer, message, 'mayfly').then(
      () => message,
      () => undefined,
    );
  };
  const sign = async (data: unknown): Promise<string> => {
    const named = { id: 'e1', source: signer.source, type: STARTED, time: '2026-11-22T10:00:00Z' };
    return textOf(data, { mayflysignature: await signEvent({ ...named, data }, 'mayfly', key) });
  };

  test('is vouched for; changed anywhere it says the same as before, or nothing', async () => {
    await fc.assert(
      fc.asyncProperty(goodStarts, mutations, async (data, changes) => {
        const text = await sign(data);
        const before = await vouched(text);
        expect(before).toBeDefined();
        const after = await vouched(mutated(text, changes));
        if (!after) return;
        expect(after.digest).toBe(before!.digest);
        const { traceparent: _t, tracestate: _s, ...envelope } = after.envelope;
        expect(envelope).toEqual(before!.envelope);
      }),
      { ...RUNS, numRuns: 60 },
    );
  }, 120_000);
});

describe(`any text as a task id (FC_SEED=${seed})`, () => {
  test('is one when it has the form, and is then itself', () => {
    fc.assert(
      fc.property(taskIds, (id) => expect(taskId(id)).toBe(id)),
      RUNS,
    );
  });
  test('is none with any character beside these, anywhere, or with dots that climb', () => {
    const foreign = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((character) => !/^[A-Za-z0-9._:-]$/.test(character));
    fc.assert(
      fc.property(taskIds, foreign, fc.nat(), (id, character, place) => {
        const at = place % (id.length + 1);
        expect(isTaskId(id.slice(0, at) + character + id.slice(at))).toBe(false);
        expect(isTaskId(`${id.slice(0, at)}..${id.slice(at)}`)).toBe(false);
      }),
      RUNS,
    );
  });
  test('is one or none, and a twin in another form is never the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        if (!isTaskId(text)) return;
        expect(text.normalize('NFC')).toBe(text);
        expect(text.normalize('NFKD')).toBe(text);
        expect(encodeURIComponent(text).replaceAll('%3A', ':')).toBe(text);
      }),
      { ...RUNS, numRuns: 2_000 },
    );
  });
});

/** Generators of events, good and otherwise, and the seed that makes them again. */
import fc from 'fast-check';
import { event, startData } from './records.js';

/** `FC_SEED` runs the same cases again; the seed stands in the names of the tests. */
export const seed = Number(process.env['FC_SEED'] ?? Date.now() % 0x7fffffff);

const names = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-';
/** Task ids as the contract has them. */
export const taskIds = fc.string({ unit: fc.constantFrom(...names), minLength: 1, maxLength: 200 }).filter((id) => !id.includes('..'));
const words = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const lines = fc.stringMatching(/^[A-Za-z0-9 :/_-]{1,40}$/);

/** Data of starts that are right in every field, in any combination of the optional ones. */
export const goodStarts = fc
  .record(
    {
      taskId: taskIds,
      workflow: fc.record({ name: words }),
      agent: fc.record({ id: words.map((name) => `spiffe://example.org/${name}`) }),
      intent: fc.record({ purpose: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }) }),
      credentials: fc.uniqueArray(
        fc.record(
          { name: words, capability: words, ttlSeconds: fc.integer({ min: 1, max: 2 ** 31 }) },
          { requiredKeys: ['name', 'capability'] },
        ),
        { minLength: 1, maxLength: 32, selector: ({ name }) => name },
      ),
      initiator: fc.record({ id: lines, kind: fc.constantFrom('human', 'service') }),
      risk: fc.integer({ min: 0, max: 100 }),
      unread: fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes('\\u')),
    },
    { requiredKeys: ['taskId', 'workflow', 'agent', 'intent', 'credentials'] },
  )
  .filter((data) => !/__proto__|"constructor"|"toJSON"/.test(JSON.stringify(data)));

/** Changes to a text: bytes replaced, dropped, doubled or put in. */
export const mutations = fc.array(
  fc.record({
    at: fc.nat(4000),
    kind: fc.constantFrom('replace', 'drop', 'double', 'insert'),
    with: fc.constantFrom(...'"{}[]:,\\0919 aetu\u0000é'),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Carries them out. */
export function mutated(text: string, changes: readonly { at: number; kind: string; with: string }[]): string {
  return changes.reduce((now, { at: place, kind, with: by }) => {
    const at = place % Math.max(1, now.length);
    const [before, here, after] = [now.slice(0, at), now.slice(at, at + 1), now.slice(at + 1)];
    return before + { replace: by, drop: '', double: here + here, insert: by + here }[kind]! + after;
  }, text);
}

/** A good event as text. */
export const textOf = (data: unknown, changes: object = {}): string =>
  JSON.stringify(event(data, { time: '2026-11-22T10:00:00Z', ...changes }));
export { startData };

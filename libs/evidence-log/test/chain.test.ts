import { describe, expect, test } from '@jest/globals';
import { append, ChainVerifier, GENESIS_HASH, hashOf, verifyChain, type EvidenceRecord, type Fact } from '@mayfly/evidence-log';
import fc from 'fast-check';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const fact: fc.Arbitrary<Fact> = fc.record(
  {
    kind: text,
    at: fc.date({ min: new Date(0), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true }).map((date) => date.toISOString()),
    by: text,
    data: fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
    tenant: text,
    taskId: text,
  },
  { requiredKeys: ['kind', 'at', 'by', 'data'] },
);

const chained = (facts: readonly Fact[]): EvidenceRecord[] => {
  const log: EvidenceRecord[] = [];
  for (const one of facts) log.push(append(log.at(-1), one));
  return log;
};
const headOf = (log: readonly EvidenceRecord[]) => ({ size: log.length, hash: log.at(-1)?.hash ?? GENESIS_HASH });
/** A log of at least so many records, and a place in it. */
const logAndPlace = (atLeast: number) =>
  fc
    .array(fact, { minLength: atLeast, maxLength: 12 })
    .map(chained)
    .chain((log) => fc.record({ log: fc.constant(log), place: fc.nat({ max: log.length - 1 }), other: fc.nat({ max: log.length - 1 }) }));

describe('a log that nobody touched', () => {
  test('verifies, alone and against every head that it ever had', () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 12 }).map(chained), (log) => {
        expect(verifyChain(log)).toBeUndefined();
        for (let size = 0; size <= log.length; size += 1) expect(verifyChain(log, headOf(log.slice(0, size)))).toBeUndefined();
      }),
    );
  });

  test('verifies as its reader gets it: through JSON, keys in any order', () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 6 }).map(chained), (log) => {
        const received = JSON.parse(JSON.stringify(log)) as EvidenceRecord[];
        const turned = received.map((record) => Object.fromEntries(Object.entries(record).reverse()) as unknown as EvidenceRecord);
        expect(verifyChain(turned, headOf(log))).toBeUndefined();
      }),
    );
  });

  test('verifies page by page, and the verifier knows its head', () => {
    const log = chained([1, 2, 3].map((n) => ({ kind: 'k', at: '2026-01-01T00:00:00.000Z', by: 'issuer', data: { n } })));
    const verifier = new ChainVerifier();
    for (const record of log) expect(verifier.next(record)).toBeUndefined();
    expect(verifier.end()).toBeUndefined();
    expect(verifier.head).toEqual(headOf(log));
  });
});

describe('[bad 77] a log that somebody touched is found out, at the right place', () => {
  test('an edited field', () => {
    fc.assert(
      fc.property(logAndPlace(1), fc.constantFrom('kind', 'at', 'by', 'tenant', 'taskId'), text, ({ log, place }, field, value) => {
        fc.pre((log[place] as unknown as Record<string, unknown>)[field] !== value);
        const edited = log.with(place, { ...log[place]!, [field]: value });
        expect(verifyChain(edited)).toEqual({ index: place, problem: 'content-changed' });
      }),
    );
  });

  test('edited, added or dropped data', () => {
    fc.assert(
      fc.property(logAndPlace(1), text, fc.jsonValue({ maxDepth: 1 }), ({ log, place }, key, value) => {
        const data = Object.fromEntries([...Object.entries(log[place]!.data), [key, value]]);
        const edited = log.with(place, { ...log[place]!, data });
        fc.pre(hashOf(edited[place]!) !== hashOf(log[place]!));
        expect(verifyChain(edited)).toEqual({ index: place, problem: 'content-changed' });
      }),
    );
  });

  test('an edit whose hash was put right: the next record does not follow it, or a known head differs', () => {
    fc.assert(
      fc.property(logAndPlace(1), ({ log, place }) => {
        const { hash: _, ...content } = log[place]!;
        const forged = { ...content, by: `${content.by}x` };
        const edited = log.with(place, { ...forged, hash: hashOf(forged) });
        const last = place === log.length - 1;
        expect(verifyChain(edited, headOf(log))).toEqual(
          last ? { index: place, problem: 'head-differs' } : { index: place + 1, problem: 'chain-broken' },
        );
      }),
    );
  });

  test('a rewritten rest of the log does not contain an earlier head', () => {
    fc.assert(
      fc.property(logAndPlace(1), ({ log, place }) => {
        const facts = log.map(({ index: _i, hash: _h, previousHash: _p, ...own }) => own);
        const rewritten = chained(facts.with(place, { ...facts[place]!, by: `${facts[place]!.by}x` }));
        expect(verifyChain(rewritten)).toBeUndefined();
        expect(verifyChain(rewritten, headOf(log))).toEqual({ index: log.length - 1, problem: 'head-differs' });
      }),
    );
  });

  test('a dropped record', () => {
    fc.assert(
      fc.property(logAndPlace(2), ({ log, place }) => {
        fc.pre(place < log.length - 1);
        const dropped = log.toSpliced(place, 1);
        expect(verifyChain(dropped)).toEqual({ index: place, problem: 'index-gap' });
        const renumbered = dropped.map((record, index) => ({ ...record, index }));
        expect(verifyChain(renumbered)).toEqual({ index: place, problem: 'chain-broken' });
      }),
    );
  });

  test('two records that changed places', () => {
    fc.assert(
      fc.property(logAndPlace(2), ({ log, place, other }) => {
        fc.pre(place !== other);
        const swapped = log.with(place, log[other]!).with(other, log[place]!);
        expect(verifyChain(swapped)).toEqual({ index: Math.min(place, other), problem: 'index-gap' });
      }),
    );
  });

  test('an inserted record, even one that fits to what is before it', () => {
    fc.assert(
      fc.property(logAndPlace(1), fact, ({ log, place }, extra) => {
        const inserted = append(log[place - 1], extra);
        fc.pre(inserted.hash !== log[place]!.hash);
        expect(verifyChain(log.toSpliced(place, 0, inserted))).toEqual({ index: place + 1, problem: 'index-gap' });
      }),
    );
  });

  test('a log cut short, by whoever knows a later head', () => {
    fc.assert(
      fc.property(logAndPlace(1), ({ log, place }) => {
        expect(verifyChain(log.slice(0, place), headOf(log))).toEqual({ index: place, problem: 'shortened' });
      }),
    );
  });

  test('a changed link', () => {
    fc.assert(
      fc.property(logAndPlace(1), ({ log, place }) => {
        const edited = log.with(place, { ...log[place]!, previousHash: 'f'.repeat(64) });
        expect(verifyChain(edited)).toEqual({ index: place, problem: 'chain-broken' });
      }),
    );
  });
});

test('a record holds what a reader gets back: dates as text, nothing that is undefined', () => {
  const record = append(undefined, {
    kind: 'k',
    at: '2026-01-01T00:00:00.000Z',
    taskId: undefined,
    by: 'issuer',
    data: { at: new Date(0), none: undefined },
  });
  expect(record).toMatchObject({ index: 0, previousHash: GENESIS_HASH, data: { at: '1970-01-01T00:00:00.000Z' } });
  expect(Object.keys(record)).not.toContain('taskId');
  expect(record.hash).toMatch(/^[0-9a-f]{64}$/);
});

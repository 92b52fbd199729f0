/** The model holds, says something, and can fail: each of these mutilations of it is found. */
import { describe, expect, test } from '@jest/globals';
import { GRANT_TRANSITIONS, LEASE_TRANSITIONS } from '@mayfly/grant';
import { explore, named, source, type Change } from './quint.js';

/** So that CI is the same every time; `npm run model -- --samples N --seed S` explores more, and elsewhere. */
const SEED = Number(process.env.MODEL_SEED ?? 20_261_122);
const SAMPLES = Number(process.env.MODEL_SAMPLES ?? 200);

test.each([
  ['GRANT_TRANSITIONS', GRANT_TRANSITIONS],
  ['LEASE_TRANSITIONS', LEASE_TRANSITIONS],
] as const)('%s of the model are those of the code', (name, transitions) => {
  const table = new RegExp(`pure val ${name} = Set\\(([^=]*)\\n  \\)`).exec(source('mayfly'))?.[1] ?? '';
  const pairs = [...table.matchAll(/\("(\w+)", "(\w+)"\)/g)].map(([, prior, next]) => `${prior} ${next}`);
  expect(pairs).toEqual(transitions.map(([prior, next]) => `${prior} ${next}`));
});

test('all invariants hold in every explored world, and everything worth asking about was reached', async () => {
  // From here so many are enough to reach what is rare, too.
  const { violated, witnessed, output } = await explore({ samples: SAMPLES, seed: SEED + 5 });
  expect({ violated, output: violated.length > 0 ? output : '' }).toEqual({ violated: [], output: '' });
  expect(Object.keys(witnessed).sort()).toEqual(named('W').sort());
  expect(Object.entries(witnessed).filter(([, count]) => count === 0)).toEqual([]);
}, 3_600_000);

const MUTANTS: readonly { name: string; violates: string; changes: readonly Change[] }[] = [
  {
    name: 'no intent is written before Vault is called',
    violates: 'I5_intentPrecedesEffect',
    changes: [
      [
        `else intend(s.toGrant("none", "requested").toGrant("requested", "granted"), "issuer")`,
        `else s.toGrant("none", "requested").toGrant("requested", "granted")`,
      ],
      ['ref: mine.fold(0, (_, l) => l.ref)', 'ref: mine.fold(1, (_, l) => l.ref)'],
    ],
  },
  {
    name: 'an end that comes first leaves no tombstone',
    violates: 'I3_neverMintFromHistory',
    changes: [['{ ...s.toGrant("none", "closed"), endFirst: true }', '{ ...s, endFirst: true }']],
  },
  {
    name: 'a grant’s state is written without comparing',
    violates: 'I7_terminalIsTerminal',
    changes: [
      [
        'if (s.grant.state == prior) { ...s, grant: { ...s.grant, state: after, prior: prior } } else s',
        '{ ...s, grant: { ...s.grant, state: after, prior: s.grant.state } }',
      ],
    ],
  },
  {
    name: 'a lease’s state is written without comparing',
    violates: 'I7_terminalIsTerminal',
    changes: [
      [
        'if (l.ref == ref and l.state == prior) { ...l, state: after, prior: prior } else l',
        'if (l.ref == ref) { ...l, state: after, prior: l.state } else l',
      ],
    ],
  },
  {
    name: 'whoever settles a killing forgets what was asked for meanwhile',
    violates: 'I7_everythingEnds',
    changes: [['if (s.grant.revokeClaim == me.held)', 'if (true)']],
  },
  {
    name: 'the token is ended before its leases are looked at: Vault only queues those, and its answer says nothing of them',
    violates: 'I8_revokedIsDead',
    changes: [
      [
        'if (read.doomed.exists(l => l.copy != 0)) found.has(w, { ...read, pc: "strike" }) else found.has(w, read).toToken(w)',
        'found.has(w, read).toToken(w)',
      ],
      ['{ ...s, tokens: s.tokens.exclude(Set(token)) }.dies(c => c.token == token)', '{ ...s, tokens: s.tokens.exclude(Set(token)) }'],
      ['s.copies.forall(c => c.id == l.copy implies not(c.leased))', 'true'],
      ['if (gone.exists(l => l.copy == c.id or l.copy == 0)) { ...c, alive: false } else c', 'c'],
    ],
  },
  {
    name: 'Vault’s word is enough, and the target is not asked',
    violates: 'I8_revokedIsDead',
    changes: [['if (gone.exists(l => l.copy == c.id or l.copy == 0)) { ...c, alive: false } else c', 'c']],
  },
  {
    name: 'a grant is closed without asking the target for what nobody wrote down',
    violates: 'I8_closedIsDead',
    changes: [
      ['outcome != "ok" or s.copies.exists(c => c.alive)', 'outcome != "ok"'],
      ['if (outcome == "ok") { ...s, copies: s.copies.map(c => { ...c, alive: false }) } else s', 's'],
    ],
  },
  {
    name: 'a grant is closed whatever the search at its targets came to',
    violates: 'I8_closedIsDead',
    changes: [['me.clear and s.grant.token', 's.grant.token']],
  },
  {
    name: 'what Vault refuses to keep is called failed, though it was minted',
    violates: 'I8_failedIsNothing',
    changes: [['if (s.leases.exists(l => l.ref == ref and l.copy != 0)) endLease(s, ref) else failLease(s, ref)', 'failLease(s, ref)']],
  },
  {
    name: 'a fetch does not wait for the earlier copy to be dead',
    violates: 'I6_oneLiveCopyDelivered',
    changes: [['pc: if (old != 0) "await" else "open-fetched"', 'pc: "open-fetched"']],
  },
  {
    name: 'a second intent is written beside a live one',
    violates: 'I6_oneLiveLease',
    changes: [['endLease(s, me.ref).intend("issuer")', 's.intend("issuer")']],
  },
  {
    name: 'nobody walks the target, nor ends what is found when a grant ends',
    violates: 'I5_noOrphanAfterRecovery',
    changes: [
      ['s.now - since.get(id) >= ORPHAN_AFTER', 'false'],
      ['if (outcome == "ok") { ...s, copies: s.copies.map(c => { ...c, alive: false }) } else s', 's'],
    ],
  },
  {
    name: 'deadlines are not watched',
    violates: 'I7_everythingEnds',
    changes: [['if (s.now >= DEADLINE) endGrant(s) else s', 's']],
  },
];

describe('the model can fail', () => {
  test.each(MUTANTS)(
    'when $name: $violates',
    async ({ violates, changes }) => {
      expect((await explore({ samples: 1_500, seed: SEED, invariants: [violates] }, changes)).violated).toEqual([violates]);
    },
    240_000,
  );
});

import { describe, expect, test } from '@jest/globals';
import { InvalidPolicySet, readPolicySet } from '@mayfly/policy';
import { call, deciderWith, filesWith, mint, WRITE } from './questions.js';

const shadow = (id: string, effect: 'permit' | 'forbid', condition = 'true'): string =>
  `@id("${id}") @mode("shadow") ${effect} (principal, action, resource) when { ${condition} };\n`;

describe('a policy in shadow mode', () => {
  test('that would forbid forbids nothing, and is on record', async () => {
    const decider = deciderWith(shadow('strict', 'forbid', 'context.risk > 10'));
    expect(await decider.decide(mint({ risk: 20 }))).toMatchObject({
      decision: 'permit',
      policies: ['etl-reads-orders'],
      shadow: [{ policy: 'strict', would: 'deny' }],
    });
    expect(await decider.decide(mint({ risk: 5 }))).not.toHaveProperty('shadow');
  });

  test('that would permit permits nothing, and is on record', async () => {
    const decider = deciderWith(shadow('lax', 'permit'));
    expect(await decider.decide(mint({ risk: 90 }))).toMatchObject({
      decision: 'deny',
      reasons: ['no-policy-permits'],
      shadow: [{ policy: 'lax', would: 'permit' }],
    });
  });

  test('that would permit what another policy forbids would change nothing', async () => {
    const decider = deciderWith(shadow('lax', 'permit'));
    expect(await decider.decide(mint({}, 'orders-db.owner'))).toMatchObject({
      reasons: ['policy-denies'],
      shadow: [{ policy: 'lax', would: 'deny' }],
    });
  });

  test('that fails denies nothing, and is on record as what would deny', async () => {
    const decider = deciderWith(shadow('broken', 'forbid', 'context.risk * 9223372036854775807 > 1'));
    expect(await decider.decide(mint({ risk: 2 }))).toMatchObject({ decision: 'permit', shadow: [{ policy: 'broken', would: 'deny' }] });
  });

  test('is named beside others of either kind', async () => {
    const decider = deciderWith(shadow('b', 'forbid') + shadow('a', 'permit') + shadow('c', 'forbid', 'context.risk > 50'));
    expect((await decider.decide(call({}, WRITE))).shadow).toEqual([
      { policy: 'a', would: 'permit' },
      { policy: 'b', would: 'deny' },
    ]);
  });

  test('is not asked about what registrations refuse', async () => {
    expect(await deciderWith(shadow('lax', 'permit')).decide(mint({}, 'unknown'))).not.toHaveProperty('shadow');
  });

  test('is no policy in force, and a misspelt mode is refused', () => {
    const set = readPolicySet(filesWith(shadow('lax', 'permit')));
    expect([Object.keys(set.policies).includes('lax'), Object.keys(set.shadowPolicies.permit)]).toEqual([false, ['lax']]);
    for (const mode of ['"Shadow"', '""', '']) {
      const text = `@id("t") @mode${mode && `(${mode})`} forbid (principal, action, resource) when { context.risk > 99 };`;
      expect(() => readPolicySet(filesWith(text))).toThrow(InvalidPolicySet);
    }
    expect(readPolicySet(filesWith(shadow('t', 'permit').replace('shadow', 'enforce'))).policies).toHaveProperty('t');
  });
});

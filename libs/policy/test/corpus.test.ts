import { describe, expect, test } from '@jest/globals';
import { ACTIONS, readPolicy, REASONS } from '@mayfly/policy';
import { corpus, corpusFiles } from './corpus/corpus.js';

const cases = corpus();

describe('the decision corpus', () => {
  const { decider, set } = readPolicy(corpusFiles());

  test.each(cases)('on Cedar: $name', async ({ question, expected }) => {
    expect(await decider.decide(question)).toMatchObject(expected);
  });

  test('is large, and leaves out no action, no policy and no reason that a table can have', () => {
    expect(cases.length).toBeGreaterThanOrEqual(200);
    expect(new Set(cases.map(({ question }) => question.action))).toEqual(new Set(ACTIONS));
    expect(new Set(cases.flatMap(({ expected }) => expected.policies))).toEqual(new Set(Object.keys(set.policies)));
    // What breaks, and what Vault says, is not in a table.
    const elsewhere = ['evaluation-error', 'pdp-unavailable', 'vault-drift'];
    expect(new Set([...cases.flatMap(({ expected }) => expected.reasons), ...elsewhere])).toEqual(new Set(REASONS));
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });
});

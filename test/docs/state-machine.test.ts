import { describe, expect, test } from '@jest/globals';
import { GRANT_TRANSITIONS, LEASE_TRANSITIONS } from '@mayfly/grant';
import { chapter, doc } from './markdown.js';

const drawn = (heading: string): string[] =>
  [...chapter(doc('docs/state-machine.md'), heading).matchAll(/^\s+(\S+) --> (\w+):/gm)].map(
    ([, from, to]) => `${from === '[*]' ? 'none' : from} ${to}`,
  );

describe('docs/state-machine.md', () => {
  test.each([
    ['Grant: what one task was allowed', GRANT_TRANSITIONS],
    ['Lease: one minted credential', LEASE_TRANSITIONS],
  ] as const)('%s draws exactly the steps that are allowed', (heading, transitions) => {
    expect(drawn(heading).sort()).toEqual(transitions.map(([from, to]) => `${from} ${to}`).sort());
  });
});

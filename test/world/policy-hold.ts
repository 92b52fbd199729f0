/** The stack's one policy set, held by one test file at a time: files run side by side, and each would undo what another has applied. */
import { readPolicyFiles, type PolicyFiles } from '@mayfly/policy';
import { openDatabase } from '@mayfly/postgres';
import { expect } from '@jest/globals';
import { until, type World } from './world.js';

/** What a file may do with the policy set while it holds it. */
export interface PolicyHold {
  /** The worked example's files, which are in force before and afterwards. */
  readonly example: PolicyFiles;
  /** Makes a set the current one; returns its digest. */
  apply(files: PolicyFiles): Promise<string>;
  /** Puts the example back and lets the next file have it. */
  release(): Promise<void>;
}

const LOCK = 4_701_900;

/** Waits for its turn, minutes if need be: call it in `beforeAll` with a time limit of 300 s. */
export async function holdPolicies(world: World): Promise<PolicyHold> {
  const example = await readPolicyFiles(new URL('../../deploy/policies/example', import.meta.url).pathname);
  const database = openDatabase({ url: world.dev.postgres.url, applicationName: 'test-policies', maxConnections: 1 });
  const held = async (): Promise<true | undefined> => {
    // On a busy machine the log-in alone may take too long: it is tried again.
    const [row] = await database.run<{ held: boolean }>('', 'select pg_try_advisory_lock($1) as held', [LOCK]).catch(() => []);
    return row?.held || undefined;
  };
  await until('the other files that change policies are done', held, 290);
  // The lock is the connection's, and an idle one would be closed.
  const keep = setInterval(() => void database.ping().catch(() => undefined), 2_000);
  const apply = async (files: PolicyFiles): Promise<string> => {
    const answer = await world.operate('/v1/policies', { method: 'POST', body: JSON.stringify({ files }) });
    expect(answer).toMatchObject({ status: 200, body: { policyDigest: expect.stringMatching(/^sha256:/) } });
    return answer.body.policyDigest as string;
  };
  return {
    example,
    apply,
    async release() {
      try {
        await apply(example);
      } finally {
        clearInterval(keep);
        await database.close();
      }
    },
  };
}

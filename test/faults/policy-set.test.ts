/** No decision, no secret: a policy set that somebody slipped into the ledger is used by no service. Nobody else may be on this stack meanwhile. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '@mayfly/postgres';
import { readPolicyFiles, readPolicySet, type PolicyFiles } from '@mayfly/policy';
import { figure, secondsSince } from '../world/faults.js';
import { signPolicies } from '../world/sign-policies.js';
import { until, World } from '../world/world.js';

let world: World;
let ledger: Database;
let example: PolicyFiles;
beforeAll(async () => {
  world = await World.open();
  ledger = openDatabase({ url: world.dev.postgres.url, applicationName: 'database-administrator', maxConnections: 2 });
  example = await readPolicyFiles(new URL('../../deploy/policies/example', import.meta.url).pathname);
}, 60_000);
afterAll(async () => {
  if (example) await apply(example);
  await ledger?.close();
  await world?.close();
});

const READERS = ['issuer', 'delivery', 'drift', 'revoker'];
const apply = async (files: PolicyFiles, signature?: string): Promise<string> => {
  const answer = await world.operate('/v1/policies', { method: 'POST', body: JSON.stringify({ files, signature }) });
  expect(answer).toMatchObject({ status: 200 });
  return answer.body.policyDigest as string;
};
/** The example, told apart by a comment. */
const another = (): PolicyFiles => ({ ...example, 'policies/test-sets.cedar': `// ${world.newTaskId()}\n` });
const readiness = async (service: string) => {
  const answer = await fetch(`http://127.0.0.1:${world.dev.ports[service]}/readyz`);
  return { status: answer.status, policy: ((await answer.json()) as any).parts?.policy?.status };
};
/** How often a service has tried a record once more. */
async function tries(service: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${world.dev.ports[service]}/metrics`)).text();
  return [...text.matchAll(/^mayfly_kafka_retries_total(?:\{[^}]*\})? (\d+)/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('a set that a database administrator slipped in', () => {
  const breakages: readonly (readonly [string, (digest: string) => Promise<() => Promise<unknown>>])[] = [
    [
      'other files under the digest',
      async (digest) => {
        await ledger.run(
          '',
          `update policy.set set files = files || '{"policies/all.cedar": "@id(\\"all\\") permit (principal, action, resource);"}' where digest = $1`,
          [digest],
        );
        return () => ledger.run('', `update policy.set set files = files - 'policies/all.cedar' where digest = $1`, [digest]);
      },
    ],
    [
      'a signature that proves nothing',
      async (digest) => {
        const [row] = await ledger.run<{ signature: string }>('', 'select signature from policy.set where digest = $1', [digest]);
        await ledger.run(
          '',
          `update policy.set set signature = overlay(signature placing 'AAAA' from length(signature) - 3) where digest = $1`,
          [digest],
        );
        return () => ledger.run('', 'update policy.set set signature = $2 where digest = $1', [digest, row!.signature]);
      },
    ],
    [
      'a set of his own',
      async (digest) => {
        const files = { ...example, 'policies/all.cedar': '@id("all") permit (principal, action, resource);' };
        const { digest: own } = readPolicySet(files);
        const forged = (await signPolicies(world, example)).replace(
          /^([^.]+)\.[^.]+/,
          (_, head: string) => `${head}.${Buffer.from(JSON.stringify({ policySet: own, iat: 1 })).toString('base64url')}`,
        );
        await ledger.run(
          '',
          'insert into policy.set (digest, files, signature, applied_by, applied_at) values ($1, $2, $3, $4, now()) on conflict do nothing',
          [own, JSON.stringify(files), forged, 'x'],
        );
        await ledger.run('', 'update policy.current set digest = $1', [own]);
        return () => ledger.run('', 'update policy.current set digest = $1', [digest]);
      },
    ],
  ];
  test.each(breakages)(
    '%s: every service says so and decides nothing; once it is mended all that waited is done',
    async (_, slipIn) => {
      const live = await world.start('orders-db.read');
      await world.agent().secret(live, 'orders-db', { waitSeconds: 15 });
      const files = another();
      const digest = await apply(files, await signPolicies(world, files));
      const mend = await slipIn(digest);
      try {
        for (const service of READERS)
          expect([service, await readiness(service)]).toEqual([service, { status: 503, policy: expect.not.stringMatching(/^ok$/) }]);
        expect(await world.ask(`/v1/tasks/${live}/secrets/orders-db`)).toMatchObject({ status: 503, body: { code: 'policy-unavailable' } });
        const triesBefore = await tries('issuer');
        const waiting = await world.start(['orders-db.read', { name: 'owner', capability: 'orders-db.owner' }]);
        await until('the issuer has it, and can do nothing with it', async () =>
          (await tries('issuer')) > triesBefore + 1 ? true : undefined,
        );
        expect(await ledger.run('', 'select 1 from ledger.task_grant where task_id = $1', [waiting])).toEqual([]);
        expect(world.eventsOf(waiting)).toEqual([]);
        await mend();
        const mendedAt = performance.now();
        expect((await world.event(waiting, 'grant.issued', () => true, 40)).data['credentials']).toMatchObject([
          { decision: 'permit' },
          { decision: 'deny' },
        ]);
        await world.event(waiting, 'credential.issued', () => true, 40);
        figure(`mended: what waited was minted ${secondsSince(mendedAt)} s later`);
      } finally {
        await mend();
      }
      for (const service of READERS)
        await until(`${service} is ready`, async () => ((await readiness(service)).status === 200 ? true : undefined));
      expect((await world.ask(`/v1/tasks/${live}/secrets/orders-db`)).status).toBe(200);
      await world.end(live);
    },
    90_000,
  );
});

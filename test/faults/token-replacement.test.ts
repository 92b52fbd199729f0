/** An issuer that dies while it replaces a task's token, by kill -9. Nobody else may be on this stack meanwhile. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openDatabase, type Database } from '@mayfly/postgres';
import { figure, secondsSince } from '../world/faults.js';
import { holdPolicies, type PolicyHold } from '../world/policy-hold.js';
import { VaultEyes } from '../world/vault-eyes.js';
import { until, World } from '../world/world.js';

const FAILPOINTS = process.env['MAYFLY_FAULTS_FAILPOINTS'];
let world: World;
let hold: PolicyHold;
let ledger: Database;
beforeAll(async () => {
  world = await World.open();
  hold = await holdPolicies(world);
  ledger = openDatabase({ url: world.dev.postgres.url, applicationName: 'test', maxConnections: 1 });
}, 300_000);
afterAll(async () => {
  await hold?.release();
  await ledger?.close();
  await world?.close();
});

interface Tokens {
  readonly id: string;
  readonly current: string;
  readonly named: string[];
}
/** The grant's token, and all tokens that the ledger says it has. */
async function tokensOf(taskId: string): Promise<Tokens> {
  const [row] = await ledger.run<Tokens>(
    '',
    `select id, token_accessor as current,
       array(select token_accessor union all select accessor from ledger.retired_token r where r.grant_id = g.id and gone_at is null order by 1) as named
     from ledger.task_grant g where task_id = $1`,
    [taskId],
  );
  return row!;
}

// A stack that was named instead of started cannot be armed.
(FAILPOINTS ? test : test.skip).each([
  ['before the ledger knows the new token', 'C7'],
  ['after the new token took its place', 'C17'],
])(
  'killed %s (%s): another goes on, what waits for its fetch is not lost, and no token is left that nobody names',
  async (_, point) => {
    const initiator = `replacing-${world.newTaskId()}@example.org`;
    const taskId = await world.start(['orders-db.read', 'service.cert'], { data: { initiator: { id: initiator, kind: 'human' } } });
    const { data: issued } = await world.event(taskId, 'credential.issued');
    const first = await tokensOf(taskId);
    const armed = join(FAILPOINTS!, 'issuer', point);
    writeFileSync(armed, 'SIGKILL');
    await hold.apply({
      ...hold.example,
      'policies/test-token.cedar': `@id("test-token")
forbid (principal, action in [Mayfly::Action::"mint", Mayfly::Action::"fetch"], resource == Mayfly::Capability::"service.cert")
when { context has initiator && context.initiator == Mayfly::Initiator::"${initiator}" };
`,
    });
    await until('the issuer has killed itself', () => (existsSync(armed) ? undefined : true));
    const killed = performance.now();
    await until('another token has its place', async () => ((await tokensOf(taskId)).current === first.current ? undefined : true), 60);
    figure(`issuer killed at ${point}: a smaller token has its place after ${secondsSince(killed)} s`);

    const fetched = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 20 });
    expect(fetched.leaseRef).toBe(issued['leaseRef']);
    expect(await world.isRefused(fetched.data)).toBe(false);
    expect((await world.ask(`/v1/tasks/${taskId}/secrets/service`)).status).toBe(403);

    const vault = new VaultEyes(world.dev);
    const exactly = async () => {
      const [inVault, { named }] = [await vault.tokensOf(first.id), await tokensOf(taskId)];
      return inVault.join() === [...named].sort().join() ? true : undefined;
    };
    // What nobody names is looked at for a minute before it is ended.
    await until('Vault has exactly the tokens that the ledger names', exactly, 120);
    figure(`and Vault has no token that the ledger does not name after ${secondsSince(killed)} s`);
    expect(await world.isRefused(fetched.data)).toBe(false);

    await world.end(taskId);
    await world.event(taskId, 'grant.closed');
    expect(await vault.tokensOf(first.id)).toEqual([]);
    expect(await world.isRefused(fetched.data)).toBe(true);
    await hold.apply(hold.example);
  },
  300_000,
);

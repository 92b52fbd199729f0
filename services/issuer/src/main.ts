import { CHANNELS, CurrentPolicy } from '@mayfly/store';
import { audienceOf, policyReader, policyVoucher, runService } from '@mayfly/service';
import { vaultForIssuer } from '@mayfly/vault';
import { startPool } from '@mayfly/worker';
import { TOPICS } from '@mayfly/domain';
import { readConfig } from './config.js';
import { CONSUMER_TOOLS, tasksConsumer } from './consumer.js';
import { Issuing } from './issuing.js';

/** Tasks that are minted for side by side. */
const MINTS_AT_ONCE = 16;

await runService('issuer', readConfig, async (config, { database, clock, logger, topic }) => {
  const vault = vaultForIssuer({
    address: config.VAULT_ADDR,
    jwtFile: config.VAULT_JWT_FILE,
    authMount: config.VAULT_AUTH_MOUNT,
    role: config.VAULT_ROLE,
    maxInFlight: config.VAULT_MAX_IN_FLIGHT,
  });
  const policies = new CurrentPolicy(policyReader(config), await policyVoucher(config));
  const issuing = new Issuing({ database, vault, policies, clock, audience: audienceOf(config) });
  const minter = startPool({
    name: 'minter',
    size: MINTS_AT_ONCE,
    everyMilliseconds: 1_000,
    claim: (limit) => issuing.claim(limit),
    work: async (claim) => {
      const failure = await issuing.mint(claim);
      if (failure) throw failure;
    },
    room: () => vault.room(),
    logger,
  });
  return {
    consumers: [tasksConsumer(topic(TOPICS.tasks))],
    providers: [
      { provide: Issuing, useValue: issuing },
      { provide: CONSUMER_TOOLS, useValue: { clock, minter } },
    ],
    workers: [minter],
    wake: { [CHANNELS.mint]: () => minter.wake() },
    readiness: { vault: () => vault.health(), policy: () => policies.get(database) },
  };
});

import { CHANNELS, CurrentPolicy } from '@mayfly/store';
import { audienceOf, policyReader, policyVoucher, runService } from '@mayfly/service';
import { vaultForIssuer } from '@mayfly/vault';
import { startPool } from '@mayfly/worker';
import { TOPICS } from '@mayfly/domain';
import { readConfig } from './config.js';
import { CONSUMER_TOOLS, tasksConsumer } from './consumer.js';
import { Issuing } from './issuing.js';
import type { MintClaim } from './mint-book.js';
import { WaitingMints } from './waiting-mints.js';

/** Starts that are read side by side, and so may be admitted together. */
const RECORDS_AT_ONCE = 64;
/** Tasks that are minted for side by side: as many as Vault's calls. */
const MINTS_AT_ONCE = 32;

await runService('issuer', readConfig, async (config, { database, clock, logger, topic }) => {
  const vault = vaultForIssuer({
    address: config.VAULT_ADDR,
    jwtFile: config.VAULT_JWT_FILE,
    authMount: config.VAULT_AUTH_MOUNT,
    role: config.VAULT_ROLE,
    maxInFlight: config.VAULT_MAX_IN_FLIGHT,
  });
  const policies = new CurrentPolicy(policyReader(config), await policyVoucher(config));
  // Who answers from afar keeps a connection of the ledger waiting: so many at a time as there are connections for.
  const decidesHere = config.MAYFLY_DECIDER === 'cedar';
  const together = decidesHere ? {} : { admittedTogether: 1 };
  const issuing = new Issuing({ database, vault, policies, clock, audience: audienceOf(config), ...together });
  const waiting = new WaitingMints((limit) => issuing.claim(limit));
  const minter = startPool({
    name: 'minter',
    size: MINTS_AT_ONCE,
    everyMilliseconds: 1_000,
    claim: (limit) => waiting.take(limit),
    work: async (claim) => {
      const failure = await issuing.mint(claim);
      if (failure) throw failure;
    },
    room: () => vault.room(),
    logger,
  });
  /** Takes a claim in if there is, or soon will be, a place for it. */
  const offer = (claim: MintClaim): boolean => {
    if (waiting.empty && minter.offer(claim)) return true;
    if (!waiting.put(claim)) return false;
    minter.wake();
    return true;
  };
  return {
    consumers: [tasksConsumer(topic(TOPICS.tasks))],
    ...(decidesHere && { recordsAtOnce: RECORDS_AT_ONCE }),
    providers: [
      { provide: Issuing, useValue: issuing },
      { provide: CONSUMER_TOOLS, useValue: { clock, minter: { offer } } },
    ],
    workers: [minter],
    wake: { [CHANNELS.mint]: () => minter.wake() },
    readiness: { vault: () => vault.health(), policy: () => policies.get(database) },
  };
});

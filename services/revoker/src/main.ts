import { TOPICS } from '@mayfly/domain';
import { readPolicySet } from '@mayfly/policy';
import { OrphanWatch } from '@mayfly/revocation';
import { audienceOf, runService } from '@mayfly/service';
import { CHANNELS, countOpenRevocations, CurrentPolicy } from '@mayfly/store';
import { PostgresProbe, quarantineAt, quarantinesOf, readTargets } from '@mayfly/targets';
import { gauge, METRICS } from '@mayfly/telemetry';
import { vaultForRevoker } from '@mayfly/vault';
import { startPool, startWorker } from '@mayfly/worker';
import { readConfig } from './config.js';
import { tasksConsumer } from './consumer.js';
import { quarantineOverdue } from './quarantine-overdue.js';
import { reconcileTargets } from './reconcile.js';
import { Revoking } from './revoking.js';
import { watchTheClock } from './watches.js';

/** Grants whose end is carried out side by side. More would only wait for each other in Vault and at the target. */
const KILLS_AT_ONCE = 16;
/** Ends of different tasks that are taken in side by side. */
const RECORDS_AT_ONCE = 500;

await runService('revoker', readConfig, async (config, { database, clock, logger, topic }) => {
  const revoker = vaultForRevoker({
    address: config.VAULT_ADDR,
    jwtFile: config.VAULT_JWT_FILE,
    authMount: config.VAULT_AUTH_MOUNT,
    role: config.VAULT_ROLE,
    maxInFlight: config.VAULT_MAX_IN_FLIGHT,
  });
  const targets = await readTargets(config.MAYFLY_TARGETS_FILE);
  const probe = new PostgresProbe(targets);
  const quarantines = quarantinesOf(targets);
  const policies = new CurrentPolicy(readPolicySet);
  const killers = { revoker, probe, quarantine: quarantineAt(quarantines) };
  const revoking = new Revoking({ database, clock, policies, killers, audience: audienceOf(config) });
  const killer = startPool({
    name: 'killer',
    size: KILLS_AT_ONCE,
    everyMilliseconds: 500,
    claim: (limit) => revoking.claim(limit),
    work: (claim) => revoking.kill(claim),
    room: () => revoker.room(),
    logger,
  });
  const watch = startWorker({ name: 'watch', everyMilliseconds: 500, work: () => watchTheClock({ database, clock }), logger });
  const quarantiners = killers.quarantine.targets.map((target) =>
    startWorker({
      name: `quarantine-${target}`,
      everyMilliseconds: 500,
      work: () => quarantineOverdue({ database, clock, killers }, target),
      logger,
    }),
  );
  const walked = quarantines.map((quarantine) => ({ quarantine, watch: new OrphanWatch(clock, config.ORPHAN_AFTER_SECONDS) }));
  const reconciler = startWorker({
    name: 'reconciler',
    everyMilliseconds: 10_000,
    work: () => reconcileTargets({ database, clock, logger, targets: walked }),
    logger,
  });
  gauge(METRICS.revocationsOpen, async () => (await countOpenRevocations(database)).open);
  gauge(METRICS.revocationsStuck, async () => (await countOpenRevocations(database)).stuck);
  return {
    consumers: [tasksConsumer(topic(TOPICS.tasks))],
    othersPark: true,
    recordsAtOnce: RECORDS_AT_ONCE,
    providers: [{ provide: Revoking, useValue: revoking }],
    workers: [killer, watch, ...quarantiners, reconciler],
    wake: { [CHANNELS.revoke]: () => killer.wake() },
    readiness: { vault: () => revoker.health() },
    close: async () => {
      await Promise.all([probe, ...quarantines].map((each) => each.close()));
    },
  };
});

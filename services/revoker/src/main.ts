import { TOPICS } from '@mayfly/domain';
import { readPolicySet } from '@mayfly/policy';
import { audienceOf, policyVoucher, runService } from '@mayfly/service';
import { CHANNELS, countOpenRevocations, CurrentPolicy } from '@mayfly/store';
import { PostgresProbe, quarantineAt, quarantinesOf, readTargets } from '@mayfly/targets';
import { gauge, gauges, METRICS } from '@mayfly/telemetry';
import { vaultForReconciler, vaultForRevoker } from '@mayfly/vault';
import { startPool, startWorker } from '@mayfly/worker';
import { VaultComparison } from './compare-vault.js';
import { readConfig } from './config.js';
import { tasksConsumer } from './consumer.js';
import { quarantineOverdue } from './quarantine-overdue.js';
import { reconciler } from './reconciler.js';
import { Revoking } from './revoking.js';
import { walksOfTargets, walksOfVault } from './walks/all-walks.js';
import { watchTheClock } from './watches.js';

/** Ends of different tasks that are taken in side by side. */
const RECORDS_AT_ONCE = 500;

await runService('revoker', readConfig, async (config, { database, clock, logger, topic }) => {
  const vault = { address: config.VAULT_ADDR, jwtFile: config.VAULT_JWT_FILE, authMount: config.VAULT_AUTH_MOUNT };
  const revoker = vaultForRevoker({ ...vault, role: config.VAULT_ROLE, maxInFlight: config.VAULT_MAX_IN_FLIGHT });
  const inventory = vaultForReconciler({ ...vault, role: config.VAULT_RECONCILER_ROLE });
  const targets = await readTargets(config.MAYFLY_TARGETS_FILE);
  const probe = new PostgresProbe(targets);
  const quarantines = quarantinesOf(targets);
  const policies = new CurrentPolicy(readPolicySet, await policyVoucher(config));
  const walked = { database, clock, logger };
  const inTargets = walksOfTargets(walked, quarantines, config.ORPHAN_AFTER_SECONDS);
  const catalogue = async () => (await policies.get(database)).capabilities;
  const inVault = walksOfVault({ ...walked, inventory, marks: inventory, revoker }, catalogue, config.ORPHAN_AFTER_SECONDS);
  const killers = { revoker, probe, quarantine: quarantineAt(quarantines), settledUntil: inVault.settledUntil };
  const revoking = new Revoking({ database, clock, policies, killers, audience: audienceOf(config) });
  const killer = startPool({
    name: 'killer',
    size: config.KILLS_AT_ONCE,
    everyMilliseconds: 500,
    claim: (limit) => revoking.claim(limit),
    work: (claim) => revoking.kill(claim),
    room: () => (revoking.fencesFirst() ? 0 : revoker.room()),
    logger,
  });
  const watch = startWorker({ name: 'watch', everyMilliseconds: 500, work: () => watchTheClock({ database, clock }), logger });
  const quarantiners = killers.quarantine.targets.map((target) =>
    startWorker({
      name: `quarantine-${target}`,
      everyMilliseconds: 500,
      work: () => quarantineOverdue({ database, clock, killers }, target, revoking.drains(target)),
      logger,
    }),
  );
  // Each by itself, so that a place that is away does not keep the others from being walked.
  const reconcilers = [reconciler('reconciler-targets', inTargets.round, logger), reconciler('reconciler-vault', inVault.round, logger)];
  const comparison = new VaultComparison({ ...walked, vault: inventory, marks: inventory, capabilities: catalogue });
  const comparer = startWorker({
    name: 'vault-comparer',
    everyMilliseconds: config.VAULT_COMPARE_SECONDS * 1000,
    work: async () => {
      await comparison.round();
      return 0; // there is nothing to hurry on with
    },
    logger,
  });
  gauge(METRICS.vaultCompareAge, comparison.ageSeconds);
  gauges(METRICS.vaultDrift, () => comparison.differing());
  gauge(METRICS.revocationsOpen, async () => (await countOpenRevocations(database)).open);
  gauge(METRICS.revocationsStuck, async () => (await countOpenRevocations(database)).stuck);
  gauge(METRICS.revocationsOldest, async () => (await countOpenRevocations(database)).oldestSeconds);
  gauge(METRICS.reconcilerAge, () => Math.max(...reconcilers.map((one) => one.ageSeconds())));
  gauge(METRICS.leasesIrrevocable, () => inventory.irrevocableLeases());
  return {
    consumers: [tasksConsumer(topic(TOPICS.tasks))],
    othersPark: true,
    recordsAtOnce: RECORDS_AT_ONCE,
    providers: [{ provide: Revoking, useValue: revoking }],
    workers: [killer, watch, comparer, ...quarantiners, ...reconcilers.map(({ worker }) => worker)],
    // What another policy set declares is compared at once.
    wake: { [CHANNELS.revoke]: () => killer.wake(), [CHANNELS.policy]: () => comparer.wake() },
    readiness: { vault: () => revoker.health(), policy: () => policies.get(database) },
    close: async () => {
      await Promise.all([probe, ...quarantines].map((each) => each.close()));
    },
  };
});

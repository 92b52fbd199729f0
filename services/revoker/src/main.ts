import { TOPICS } from '@mayfly/domain';
import { readPolicySet } from '@mayfly/policy';
import { runService } from '@mayfly/service';
import { CHANNELS, countOpenRevocations, CurrentPolicy } from '@mayfly/store';
import { PostgresProbe, readTargets } from '@mayfly/targets';
import { gauge, METRICS } from '@mayfly/telemetry';
import { vaultForRevoker } from '@mayfly/vault';
import { startWorker } from '@mayfly/worker';
import { readConfig } from './config.js';
import { tasksConsumer } from './consumer.js';
import { Revoking } from './revoking.js';
import { watchTheClock } from './watches.js';

await runService('revoker', readConfig, async (config, { database, clock, logger, topic }) => {
  const revoker = vaultForRevoker({
    address: config.VAULT_ADDR,
    jwtFile: config.VAULT_JWT_FILE,
    authMount: config.VAULT_AUTH_MOUNT,
    role: config.VAULT_ROLE,
  });
  const probe = new PostgresProbe(await readTargets(config.MAYFLY_TARGETS_FILE));
  const policies = new CurrentPolicy(readPolicySet);
  const revoking = new Revoking({ database, clock, policies, killers: { revoker, probe } });
  const killer = startWorker({ name: 'killer', everyMilliseconds: 500, work: () => revoking.killDue(), logger });
  const watch = startWorker({ name: 'watch', everyMilliseconds: 500, work: () => watchTheClock({ database, clock }), logger });
  gauge(METRICS.revocationsOpen, async () => (await countOpenRevocations(database)).open);
  gauge(METRICS.revocationsStuck, async () => (await countOpenRevocations(database)).stuck);
  return {
    consumers: [tasksConsumer(topic(TOPICS.tasks))],
    othersPark: true,
    providers: [{ provide: Revoking, useValue: revoking }],
    workers: [killer, watch],
    wake: { [CHANNELS.revoke]: () => killer.wake() },
    readiness: { vault: () => revoker.health() },
    close: () => probe.close(),
  };
});

import { TOPICS } from '@mayfly/domain';
import { whatChanged } from '@mayfly/policy';
import { audienceOf, policyReader, policyVoucher, runService } from '@mayfly/service';
import { CHANNELS, CurrentPolicy } from '@mayfly/store';
import { startWorker } from '@mayfly/worker';
import { readConfig } from './config.js';
import { CONSUMER_TOOLS, signalsConsumer } from './consumer.js';
import { followBehaviour, followVault } from './flow.js';
import { followOffboarded } from './follow-offboarded.js';
import { PolicyFollower } from './policy-follower.js';

await runService('drift', readConfig, async (config, { database, clock, logger, topic }) => {
  const policies = new CurrentPolicy(policyReader(config), await policyVoucher(config));
  const on = { database, policies, clock, audience: audienceOf(config) };
  const policyFollower = new PolicyFollower(on, config.MAYFLY_DECIDER === 'cedar' ? whatChanged : () => 'all');
  // Looked at without a hint too: a start that was admitted by the old set while the new one came shows up here.
  const follower = startWorker({ name: 'follower', everyMilliseconds: 2_000, work: () => policyFollower.follow(), logger });
  const watcher = startWorker({ name: 'behaviour', everyMilliseconds: 2_000, work: () => followBehaviour(on), logger });
  const leavers = startWorker({ name: 'offboarded', everyMilliseconds: 2_000, work: () => followOffboarded(on), logger });
  const vaultFollower = startWorker({ name: 'vault', everyMilliseconds: 2_000, work: () => followVault(on), logger });
  return {
    consumers: [signalsConsumer(topic(TOPICS.signals))],
    providers: [{ provide: CONSUMER_TOOLS, useValue: { on, follower } }],
    workers: [follower, watcher, leavers, vaultFollower],
    wake: {
      [CHANNELS.policy]: () => follower.wake(),
      [CHANNELS.behaviour]: () => watcher.wake(),
      [CHANNELS.vault]: () => vaultFollower.wake(),
    },
    readiness: { policy: () => policies.get(database) },
  };
});

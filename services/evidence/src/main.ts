import { runService } from '@mayfly/service';
import { CHANNELS } from '@mayfly/store';
import { startWorker } from '@mayfly/worker';
import { readConfig } from './config.js';
import { chainPage, PAGE } from './flow.js';

await runService('evidence', readConfig, (_config, { database, clock, logger }) => {
  const chainer = startWorker({
    name: 'chainer',
    everyMilliseconds: 1_000,
    // What is stated is durable already: it may wait a moment for more, so that one transaction chains them all.
    gather: { milliseconds: 200, batch: PAGE },
    work: () => chainPage({ database, clock }),
    logger,
  });
  return { workers: [chainer], wake: { [CHANNELS.evidence]: () => chainer.wake() } };
});

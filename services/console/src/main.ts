import { readFile } from 'node:fs/promises';
import { createOperatorVerifier, createWorkloadVerifier, readTrust } from '@mayfly/identity';
import { policyReader, policyVoucher, runService } from '@mayfly/service';
import { CHANNELS, CurrentPolicy, openOrders } from '@mayfly/store';
import { gauge, METRICS } from '@mayfly/telemetry';
import { startWorker } from '@mayfly/worker';
import { Capabilities } from './capabilities.js';
import { CapabilitiesController } from './capabilities.controller.js';
import { readConfig } from './config.js';
import { KillSwitch } from './kill-switch.js';
import { Operating } from './operating.js';
import { OperatorController } from './operator.controller.js';
import { Operators } from './operators.js';
import { Planning } from './planning.js';
import { PoliciesController } from './policies.controller.js';
import { Policies } from './policies.js';
import { ReinstatementsController } from './reinstatements.controller.js';
import { Reinstating } from './reinstating.js';
import { RevocationsController } from './revocations.controller.js';
import { RevokedSerialsController } from './revoked-serials.controller.js';

const MOST_ORDERS = 1_000;

await runService('console', readConfig, async (config, { database, clock, logger }) => {
  const trust = readTrust(await readFile(config.MAYFLY_TRUST_FILE, 'utf8'), config.MAYFLY_PROFILE);
  const operators = new Operators(createOperatorVerifier(trust, { clock }), createWorkloadVerifier(trust, { clock }));
  const vouch = await policyVoucher(config);
  const read = policyReader(config);
  const policies = new CurrentPolicy(read, vouch);
  const killSwitch = new KillSwitch({ database, clock });
  // What a console that died has begun is gone on with by any other, and by itself when it is back.
  const orders = startWorker({ name: 'kill-switch', everyMilliseconds: 500, work: () => killSwitch.goOn(), logger });
  gauge(METRICS.ordersOpen, async () => (await openOrders(database, MOST_ORDERS)).length);
  return {
    controllers: [
      CapabilitiesController,
      OperatorController,
      PoliciesController,
      RevocationsController,
      ReinstatementsController,
      RevokedSerialsController,
    ],
    providers: [
      { provide: Capabilities, useValue: new Capabilities({ database, policies }) },
      { provide: Operating, useValue: new Operating({ database, clock }) },
      { provide: Policies, useValue: new Policies({ database, clock, profile: config.MAYFLY_PROFILE, vouch, read }) },
      { provide: Planning, useValue: new Planning({ database, clock, policies }) },
      { provide: KillSwitch, useValue: killSwitch },
      { provide: Reinstating, useValue: new Reinstating({ database, clock }) },
      { provide: Operators, useValue: operators },
    ],
    workers: [orders],
    wake: { [CHANNELS.order]: () => orders.wake() },
  };
});

import { readFile } from 'node:fs/promises';
import { createOperatorVerifier, createWorkloadVerifier, readTrust } from '@mayfly/identity';
import { runService } from '@mayfly/service';
import { readConfig } from './config.js';
import { Operating } from './operating.js';
import { OperatorController } from './operator.controller.js';
import { Operators } from './operators.js';
import { RevokedSerialsController } from './revoked-serials.controller.js';

await runService('console', readConfig, async (config, { database, clock }) => {
  const trust = readTrust(await readFile(config.MAYFLY_TRUST_FILE, 'utf8'), config.MAYFLY_PROFILE);
  const operators = new Operators(createOperatorVerifier(trust, { clock }), createWorkloadVerifier(trust, { clock }));
  return {
    controllers: [OperatorController, RevokedSerialsController],
    providers: [
      { provide: Operating, useValue: new Operating({ database, clock, profile: config.MAYFLY_PROFILE }) },
      { provide: Operators, useValue: operators },
    ],
  };
});

import { readFile } from 'node:fs/promises';
import { createOperatorVerifier, readTrust } from '@mayfly/identity';
import { runService } from '@mayfly/service';
import { readConfig } from './config.js';
import { Operating } from './operating.js';
import { OperatorController } from './operator.controller.js';
import { Operators } from './operators.js';

await runService('console', readConfig, async (config, { database, clock }) => {
  const verifier = createOperatorVerifier(readTrust(await readFile(config.MAYFLY_TRUST_FILE, 'utf8'), config.MAYFLY_PROFILE), { clock });
  return {
    controllers: [OperatorController],
    providers: [
      { provide: Operating, useValue: new Operating({ database, clock }) },
      { provide: Operators, useValue: new Operators(verifier) },
    ],
  };
});

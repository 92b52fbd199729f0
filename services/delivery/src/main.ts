import { readFile } from 'node:fs/promises';
import { ALGORITHMS, createWorkloadVerifier, readTrust } from '@mayfly/identity';
import { policyReader, policyVoucher, runService } from '@mayfly/service';
import { CurrentPolicy, proofRegister, QuotaWatch, TaskChanges } from '@mayfly/store';
import { readTargets } from '@mayfly/targets';
import { vaultForDelivery } from '@mayfly/vault';
import { AccessController } from './access/access.controller.js';
import { Evaluating } from './access/evaluating.js';
import { readConfig } from './config.js';
import { Delivering } from './delivering.js';
import { TasksController } from './tasks.controller.js';
import { WorkloadProof } from './workload-proof.js';

await runService('delivery', readConfig, async (config, { database, clock, logger }) => {
  const vault = vaultForDelivery({
    address: config.VAULT_ADDR,
    jwtFile: config.VAULT_JWT_FILE,
    authMount: config.VAULT_AUTH_MOUNT,
    role: config.VAULT_ROLE,
    maxInFlight: config.VAULT_MAX_IN_FLIGHT,
  });
  const policies = new CurrentPolicy(policyReader(config), await policyVoucher(config));
  const quotas = new QuotaWatch(clock);
  const targets = await readTargets(config.MAYFLY_TARGETS_FILE);
  const trust = readTrust(await readFile(config.MAYFLY_TRUST_FILE, 'utf8'), config.MAYFLY_PROFILE);
  const verifier = createWorkloadVerifier(trust, { clock, proofs: proofRegister(database) });
  const publicUrl = config.MAYFLY_PUBLIC_URL ?? `http://${config.HTTP_HOST}:${config.HTTP_PORT}`;
  const changes = new TaskChanges(database);
  const delivering = new Delivering({ database, vault, policies, quotas, targets, changes, clock });
  return {
    controllers: [TasksController, AccessController],
    providers: [
      { provide: Delivering, useValue: delivering },
      { provide: Evaluating, useValue: new Evaluating({ database, policies, clock }) },
      { provide: WorkloadProof, useValue: new WorkloadProof({ verifier, publicUrl, look: delivering.look, database, clock, logger }) },
    ],
    challenge: `Bearer, DPoP algs="${ALGORITHMS.join(' ')}"`,
    readiness: { vault: () => vault.health(), identity: () => verifier.ready(), policy: () => policies.get(database) },
    close: () => changes.close(),
  };
});

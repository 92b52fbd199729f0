/** A drift service on a real ledger, and live tasks for it to decide again. */
import { digestOf, ManualClock, newLeaseRef, type LeaseRef, type TaskStart } from '@mayfly/domain';
import { readPolicy } from '@mayfly/policy';
import { CurrentPolicy, insertCredentials, intendLease, leasesOf, readTaskEntries, transitionLease, type Database } from '@mayfly/store';
import type { RiskSignalMessage, RiskSubject } from '@mayfly/task-events';
import { anybodys } from '../../../libs/store/test/example.js';
import { AT, capability, granted, task } from '../../../libs/store/test/ledger.js';
import type { SignalDependencies } from '../src/flow.js';

/** A new drift service. */
export function driftOn(database: Database): SignalDependencies {
  const policies = new CurrentPolicy((files) => readPolicy(files), anybodys);
  return { database, policies, clock: new ManualClock(AT), audience: 'mayfly' };
}

/** A live task with an active lease `orders` (orders-db.read) and one `cert` (service.cert), decided by the given set. */
export async function live(database: Database, policyDigest: string, start: Partial<TaskStart> = {}, changes: object = {}) {
  const { grant, credential } = await granted(database, { start: task(start), policyDigest, ...changes });
  const spec = capability({
    name: 'service.cert',
    engine: 'pki',
    mount: 'pki',
    role: 'service',
    access: 'write',
    vaultPolicy: 'cap-service.cert',
    parameters: { common_name: 'task.svc.example.org' },
  });
  await insertCredentials(database, [{ ...credential, name: 'cert', capability: spec.name, spec }]);
  const ref: LeaseRef = newLeaseRef();
  await intendLease(database, { ref, grantId: grant.id, name: 'cert', minter: 'issuer', intendedAt: AT });
  await transitionLease(database, ref, 'minting', 'active', { issuedAt: AT });
  return grant;
}

/** State and cause of each lease, by the credential's name. */
export async function leaseStates(database: Database, id: Parameters<typeof leasesOf>[1]): Promise<Record<string, string>> {
  return Object.fromEntries((await leasesOf(database, id)).map(({ name, state, cause }) => [name, cause ? `${state}: ${cause}` : state]));
}

/** What was lost, as evidence says. */
export const losses = async (database: Database, taskId: string) =>
  (await readTaskEntries(database, taskId)).filter(({ kind }) => kind === 'dev.mayfly.evidence.permit-lost.v1').map(({ data }) => data);

let signals = 0;
/** A risk signal; each with an id of its own unless told otherwise. */
export const riskSignal = (
  subject: RiskSubject,
  risk: number,
  envelope: Partial<RiskSignalMessage['envelope']> = {},
): RiskSignalMessage => ({
  kind: 'risk',
  subject,
  risk,
  envelope: { id: `risk-${(signals += 1)}`, source: 'urn:example:orchestrator', type: 'dev.mayfly.signal.risk.v1', ...envelope },
  digest: digestOf({ subject, risk }),
});

export const KEPT = { orders: 'active', cert: 'active' };

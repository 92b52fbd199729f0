/** An issuer on a real ledger and a fake Vault. */
import { digestOf, ManualClock, taskId, VaultUnavailable, type TaskStart } from '@mayfly/domain';
import { readPolicy } from '@mayfly/policy';
import { CurrentPolicy, type Database } from '@mayfly/store';
import type { TaskEndedMessage, TaskStartedMessage } from '@mayfly/task-events';
import { anybodys } from '../../../libs/store/test/example.js';
import { AT, task } from '../../../libs/store/test/ledger.js';
import { FakeVault } from '../../../libs/vault/test/fake-vault.js';
import { Issuing } from '../src/issuing.js';

export const SOURCE = 'urn:example:orchestrator';

/** A new issuer; with the same clock and Vault it is another replica. */
export function issuerOn(database: Database, clock = new ManualClock(AT), vault = new FakeVault(clock)) {
  const policies = new CurrentPolicy((files) => readPolicy(files), anybodys);
  return { database, clock, vault, policies, issuing: new Issuing({ database, vault, policies, clock, audience: 'mayfly' }) };
}

let events = 0;
/** A start event; each with an id of its own unless told otherwise. */
export function started(changes: Partial<TaskStart> = {}, envelope: Partial<TaskStartedMessage['envelope']> = {}): TaskStartedMessage {
  const start = task(changes);
  const digest = digestOf(JSON.parse(JSON.stringify(start)));
  return {
    kind: 'started',
    task: start,
    envelope: { id: `start-${(events += 1)}`, source: SOURCE, type: 'dev.mayfly.task.started.v1', ...envelope },
    digest,
  };
}

/** An end event of a task. */
export const ended = (id: string, envelope: Partial<TaskEndedMessage['envelope']> = {}): TaskEndedMessage => ({
  kind: 'ended',
  end: { taskId: taskId(id), outcome: 'succeeded' },
  envelope: { id: `end-${(events += 1)}`, source: SOURCE, type: 'dev.mayfly.task.ended.v1', ...envelope },
  digest: digestOf({ id }),
});

type Method = 'create' | 'mint' | 'keep' | 'copy' | 'take' | 'open';
/** Runs this in place of the next call, with the real one at hand. */
export function once<M extends Method>(vault: FakeVault, method: M, instead: (real: () => Promise<unknown>) => Promise<unknown>): void {
  const real = vault[method].bind(vault) as (...args: unknown[]) => Promise<unknown>;
  Object.assign(vault, {
    [method]: (...args: unknown[]) => {
      Object.assign(vault, { [method]: real });
      return instead(() => real(...args));
    },
  });
}
/** The next call fails as if Vault were away. */
export const failOnce = (vault: FakeVault, method: Method): void =>
  once(vault, method, async () => {
    throw new VaultUnavailable();
  });

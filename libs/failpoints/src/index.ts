/**
 * The moments at which a crash hurts most. In production each is a call that does nothing; a crash test arms one, and the process that
 * comes by kills itself there.
 * @module
 */
import { readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Every failpoint, with the moment that it names. The order is the way of a task. */
export const FAILPOINTS = {
  C1: 'an event was read from Kafka',
  C2: 'it was checked; nothing is written',
  C3: 'its effect is durable; its offset is not committed',
  C4: 'a decision was made; it is not written down',
  C5: 'the decision is written, in a transaction that is still open',
  C6: 'the intent is durable; Vault was not called',
  C7: 'the task token exists; the ledger does not know it',
  C8: 'a lease exists; the ledger does not know it',
  C9: 'the lease is in the ledger; its secret was not kept or handed out',
  C10: 'the delivery is durable; the answer was not sent',
  C11: 'an end is durable; nothing was revoked',
  C12: 'some of the leases are revoked',
  C13: 'all is revoked and proven; the ledger does not know it',
  C14: 'a change is durable; its event was not published',
  C15: 'an event was published; the outbox does not know it',
  C16: 'evidence was chained, in a transaction that is still open',
  C17: 'another task token took the place of the first; what was kept with the first is still there',
} as const;

/** Name of a failpoint. */
export type Failpoint = keyof typeof FAILPOINTS;

let pass: (point: Failpoint) => void = () => undefined;

/** Says that the process comes by this moment. Does nothing unless {@link armFailpoints} was called. */
export const failpoint = (point: Failpoint): void => pass(point);

/**
 * Lets crash tests arm failpoints while the process runs: a file in `directory` that is named like a failpoint arms it for one passage,
 * and holds the signal that the process sends itself there (`SIGKILL`, `SIGSTOP`). Whoever removes the file takes it, so that of several
 * replicas exactly one is hit.
 */
export function armFailpoints(directory: string): void {
  pass = (point) => {
    const signal = taken(join(directory, point));
    if (signal) process.kill(process.pid, signal);
  };
}

function taken(file: string): NodeJS.Signals | undefined {
  try {
    const signal = readFileSync(file, 'utf8').trim();
    unlinkSync(file);
    return signal as NodeJS.Signals;
  } catch {
    return undefined;
  }
}

/**
 * What an agent may do with its task, with everything that needs.
 * @module
 */
import { type Behaviour, Denied, InvalidRequest, MayflyError, TaskClosed, type TaskId } from '@mayfly/domain';
import { credentialState, ENDED_GRANT_STATES, LIVE_LEASE_STATES, type CredentialState, type Grant } from '@mayfly/grant';
import { amendGrant, credentialsOf, endGrant, endLease, leasesOf, lockGrant, stateFact, type Seen } from '@mayfly/store';
import { ATTRIBUTES, counter, currentTrace, METRICS, SPANS, withSpan, type TraceContext } from '@mayfly/telemetry';
import type { Delivered, DeliveryDependencies, Fetch } from './fetch.js';
import { FetchBook } from './fetch-book.js';
import { fetchSecret } from './flow.js';
import { grantFor } from './steps/check-grant.js';
import { CopyLost } from './hand-all.js';

/** A task as its own agent sees it. No secret. */
export interface TaskView {
  readonly taskId: TaskId;
  readonly state: string;
  readonly behaviour: Behaviour;
  readonly deadline?: string;
  readonly credentials: readonly {
    readonly name: string;
    readonly capability: string;
    readonly state: CredentialState;
    readonly shape?: string;
    readonly decisionId: string;
    readonly reasons: readonly string[];
    readonly leaseRef?: string;
    readonly expiresAt?: string;
  }[];
}

/** How a task stood when somebody looked; undefined: there was none. */
export interface Looked {
  readonly seen: Seen | undefined;
}

const traceIdOf = ({ traceparent }: TraceContext): string | undefined => traceparent.split('-')[1];
const deliveries = counter(METRICS.deliveries);
const hasEnded = (grant: Grant): boolean => (ENDED_GRANT_STATES as readonly string[]).includes(grant.state);

/** Serves one proven workload at a time; every method takes the identity that was proven. */
export class Delivering {
  readonly #book: FetchBook;

  constructor(private readonly on: DeliveryDependencies) {
    this.#book = new FetchBook(on);
  }

  /** How a task stands; undefined: there is none. Those that are asked about at the same time are read together. */
  look = (taskId: TaskId): Promise<Seen | undefined> => this.#book.look(taskId);

  /** State of a task. @throws TaskNotFound */
  async view(taskId: TaskId, agent: string): Promise<TaskView> {
    const grant = await grantFor(this.on.database, taskId, agent);
    const [credentials, leases] = await Promise.all([credentialsOf(this.on.database, grant.id), leasesOf(this.on.database, grant.id)]);
    return {
      taskId,
      state: grant.state,
      behaviour: grant.behaviour,
      ...(grant.deadline && { deadline: grant.deadline.toISOString() }),
      credentials: credentials.map((credential) => {
        const newest = leases.findLast(({ name }) => name === credential.name);
        return {
          name: credential.name,
          capability: credential.capability,
          state: credentialState(credential.permitted, newest?.state, hasEnded(grant)),
          decisionId: credential.decisionId,
          reasons: credential.reasons,
          ...(credential.spec && { shape: credential.spec.shape }),
          ...(newest && { leaseRef: newest.ref }),
          ...(newest?.expiresAt && { expiresAt: newest.expiresAt.toISOString() }),
        };
      }),
    };
  }

  /**
   * Hands out one credential.
   * @param waitMilliseconds how long to hold the request while the grant is not decided or minted yet, or not even heard of
   * @param looked what {@link look} has just found
   */
  async fetch(taskId: TaskId, name: string, agent: string, waitMilliseconds: number, looked?: Looked): Promise<Delivered> {
    try {
      const delivered = await this.#whenReady(taskId, waitMilliseconds, looked, (seen) =>
        // A fetch that came before its task's start has no trace to join when it arrives: it joins when the task is there.
        this.#inTaskTrace(seen, agent, () => this.#fetchNow(taskId, name, agent, seen)),
      );
      deliveries.add(1, { [ATTRIBUTES.outcome]: 'delivered' });
      return delivered;
    } catch (error) {
      deliveries.add(1, { [ATTRIBUTES.outcome]: error instanceof MayflyError ? error.code : 'internal' });
      throw error;
    }
  }

  /** A sign of life; before the decision it counts for nothing. @throws TaskNotFound, TaskClosed, Denied when nothing was granted that could live */
  async heartbeat(taskId: TaskId, agent: string): Promise<void> {
    const grant = await grantFor(this.on.database, taskId, agent);
    const alive = await amendGrant(this.on.database, grant.id, 'granted', { heartbeatAt: this.on.clock.now() });
    if (alive) return;
    if (hasEnded(grant)) throw new TaskClosed();
    if (grant.state === 'denied') throw new Denied((await credentialsOf(this.on.database, grant.id))[0]?.decisionId);
  }

  /**
   * The agent gives back what it no longer needs: the named credentials, or the whole task's when none are named.
   * @throws TaskNotFound, InvalidRequest for a name that the task did not ask for
   */
  async release(taskId: TaskId, agent: string, names: readonly string[]): Promise<void> {
    const { database, clock } = this.on;
    const { id } = await grantFor(database, taskId, agent);
    const at = clock.now();
    const end = { cause: 'agent_release', by: 'delivery', at } as const;
    await database.transaction('release', async (tx) => {
      const grant = await lockGrant(tx, id);
      if (!grant || grant.state !== 'granted') return;
      const credentials = await credentialsOf(tx, id);
      const unknown = names.find((name) => !credentials.some((credential) => credential.name === name));
      if (unknown !== undefined) throw new InvalidRequest('this task asked for no credential of one of these names');
      const data = { agent, names: names.length > 0 ? names : credentials.map(({ name }) => name) };
      await stateFact(tx, {
        kind: 'dev.mayfly.evidence.released.v1',
        at: at.toISOString(),
        tenant: grant.tenant,
        taskId,
        by: 'delivery',
        data,
      });
      if (names.length === 0) return void (await endGrant(tx, grant, end));
      for (const lease of await leasesOf(tx, id)) {
        const credential = credentials.find(({ name }) => name === lease.name);
        if (!credential || !names.includes(lease.name) || !(LIVE_LEASE_STATES as readonly string[]).includes(lease.state)) continue;
        await endLease(tx, grant, credential, lease, end);
      }
    });
  }

  #inTaskTrace<T>(seen: Seen | undefined, agent: string, work: () => Promise<T>): Promise<T> {
    const { grant } = seen?.standing ?? {};
    const here = currentTrace();
    const parent = grant?.agentId === agent && grant.traceparent ? { traceparent: grant.traceparent } : undefined;
    if (!parent || traceIdOf(parent) === (here && traceIdOf(here))) return work();
    return withSpan(SPANS.deliver, { parent, links: here ? [here] : [], attributes: { [ATTRIBUTES.taskId]: grant?.taskId } }, work);
  }

  async #fetchNow(taskId: TaskId, name: string, agent: string, seen: Seen | undefined): Promise<Delivered> {
    const known: Fetch = { on: this.on, book: this.#book, taskId, name, agent, seen };
    await fetchSecret(known);
    const { credential, lease, material } = known;
    if (!credential || !lease || !material) throw new TypeError('a fetch that was not refused has material');
    return {
      taskId,
      name,
      capability: credential.capability,
      // The one place where material leaves: to the workload that proved itself.
      data: { ...this.#connectionOf(credential.spec?.target), ...material.reveal() },
      ...(lease.expiresAt && { expiresAt: lease.expiresAt.toISOString() }),
      leaseRef: lease.ref,
    };
  }

  #connectionOf(target: string | undefined): Readonly<Record<string, unknown>> {
    return (target && this.on.targets[target]?.connection) || {};
  }

  /** An agent may ask before its start event was processed: only what may still come is waited for. */
  async #whenReady<T>(
    taskId: TaskId,
    milliseconds: number,
    looked: Looked | undefined,
    attempt: (seen: Seen | undefined) => Promise<T>,
  ): Promise<T> {
    let last: unknown;
    const tried = async ({ seen }: Looked): Promise<{ readonly value: T } | undefined> => {
      try {
        return { value: await attempt(seen) };
      } catch (error) {
        if (!mayStillCome(error)) throw error;
        last = error;
        return undefined;
      }
    };
    const look = async (): Promise<Looked> => ({ seen: await this.look(taskId) });
    // Who waits looks anew: what changed since the first look would not be told any more.
    const found =
      (await tried(looked ?? (await look()))) ??
      (milliseconds > 0 ? await this.on.changes.until(taskId, milliseconds, async () => tried(await look())) : undefined);
    if (!found) throw last;
    return found.value;
  }
}

const MAY_STILL_COME = new Set(['task-not-found', 'not-ready', 'pending-approval']);
const mayStillCome = (error: unknown): boolean =>
  error instanceof MayflyError && MAY_STILL_COME.has(error.code) && !(error instanceof CopyLost);

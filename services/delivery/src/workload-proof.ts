import type { IncomingMessage } from 'node:http';
import { presentedToken } from '@mayfly/http';
import type { RequestProof, WorkloadVerifier } from '@mayfly/identity';
import { findGrantByTask, stateFact, type Database, type Seen } from '@mayfly/store';
import { ATTRIBUTES, currentTrace, SPANS, withSpan, type Logger } from '@mayfly/telemetry';
import { InvalidToken, isTaskId, MayflyError, TaskNotFound, type Clock, type TaskId } from '@mayfly/domain';

/** A request with its Authorization header. */
export type Asking = IncomingMessage;

/** What proving works with. */
export interface ProofTools {
  readonly verifier: WorkloadVerifier;
  /** Where agents send their requests to. */
  readonly publicUrl: string;
  /** How a task stands; undefined: there is none. */
  readonly look: (taskId: TaskId) => Promise<Seen | undefined>;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Proves the workload first, then lets it in; what is refused is written to the evidence of the task. */
export class WorkloadProof {
  constructor(private readonly tools: ProofTools) {}

  /** Runs the work as the proven agent, inside the task's own trace, with how the task stands, where there is one. @throws InvalidToken */
  async of<T>(request: Asking, id: string, work: (agent: string, seen: Seen | undefined) => Promise<T>): Promise<T> {
    const agent = await this.prove(request);
    const caller = currentTrace();
    const seen = isTaskId(id) ? await this.tools.look(id) : undefined;
    const parent = traceOf(seen, agent);
    const links = caller ? [caller] : [];
    const options = {
      kind: 'server',
      parent,
      links: parent ? links : [],
      attributes: { [ATTRIBUTES.taskId]: isTaskId(id) ? id : undefined, [ATTRIBUTES.agent]: agent },
    } as const;
    return withSpan(SPANS.deliver, options, async () => {
      try {
        return await work(agent, seen);
      } catch (error) {
        const noted = this.#noteRefusal(id, agent, error);
        // INVARIANT: an unknown task and another workload's look alike, in time too: only one of them has evidence to write.
        if (!(error instanceof TaskNotFound)) await noted;
        throw error;
      }
    });
  }

  /** The workload that sent a request. @throws InvalidToken */
  prove(request: Asking): Promise<string> {
    return withSpan(SPANS.verifyIdentity, {}, async () => {
      const shown = presentedToken(request);
      const proof = shown.scheme === 'DPoP' ? this.#requestProof(request, shown.proof) : undefined;
      return (await this.tools.verifier.verify(shown.token, proof)).id;
    });
  }

  /** Where agents send their requests to, without a slash at its end. */
  get publicUrl(): string {
    return this.tools.publicUrl.replace(/\/+$/, '');
  }

  /** The request as its sender sees it. Whatever it says of hosts and proxies is not asked. */
  #requestProof({ method = '', url = '' }: Asking, proof: string): RequestProof {
    return { proof, method, url: `${this.publicUrl}${url.split('?')[0]}` };
  }

  /** Refusals are evidence; one that cannot be written is still refused. */
  async #noteRefusal(id: string, agent: string, error: unknown): Promise<void> {
    if (!(error instanceof MayflyError) || error instanceof InvalidToken || !NOTED.has(error.code) || !isTaskId(id)) return;
    const { database, clock, logger } = this.tools;
    const grant = await findGrantByTask(database, id).catch(() => undefined);
    if (!grant) return;
    const fact = {
      kind: 'dev.mayfly.evidence.fetch-refused.v1',
      at: clock.now().toISOString(),
      tenant: grant.tenant,
      taskId: id,
      by: 'delivery',
      data: { agent, reason: error.code },
    };
    await stateFact(database, fact).catch((failure: unknown) =>
      logger.warn('a refusal could not be written to the evidence', { taskId: id, error: failure }),
    );
  }
}

/** `denied` has its own fact with the decision; what only means "not yet" says nothing worth keeping. */
const NOTED = new Set(['task-not-found', 'task-closed', 'fetch-limit', 'quota-exceeded']);

/** A task's trace goes on where it began; only for its own agent, so that nobody else writes into it. */
function traceOf(seen: Seen | undefined, agent: string) {
  const { agentId, traceparent, tracestate } = seen?.standing.grant ?? {};
  return agentId === agent && traceparent ? { traceparent, ...(tracestate && { tracestate }) } : undefined;
}

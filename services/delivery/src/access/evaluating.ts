/**
 * May this task's agent do this tool call now? On one screen:
 *
 *     read    how the tasks stand, and which policy set is current: one statement, one moment; or as they stood when they were read last
 *     judge   each question: the agent's own task, live, on its plan, and permitted by policy
 *     settle  counts within the budgets, states the evidence, takes the step of the ladder that is due; if what the judging rests on
 *             moved meanwhile nothing is settled, and it is read again
 * @module
 */
import { InvalidRequest, NotReady, TaskClosed, type Clock, type TaskId } from '@mayfly/domain';
import type { Policy } from '@mayfly/policy';
import { reportUsage, type CurrentPolicy, type Database, type UsageReport } from '@mayfly/store';
import { ATTRIBUTES, counter, currentTrace, METRICS, SPANS, withSpan } from '@mayfly/telemetry';
import { grantFor } from '../steps/check-grant.js';
import { group, type Grouped } from './group.js';
import { judge, type Judged } from './judge.js';
import { isLast, type Answer, type Asked } from './question.js';
import type { Questions } from './read-questions.js';
import { RememberedReads } from './remember-reads.js';
import { RememberedStandings, type Known } from './remember-standings.js';
import { settle } from './settle.js';
import { Turns } from './turns.js';

/** What evaluating works with. */
export interface EvaluationDependencies {
  readonly database: Database;
  readonly policies: CurrentPolicy<Policy>;
  readonly clock: Clock;
}

/** How often what moved is looked at again before the caller is asked to. */
const MOST_TRIES = 5;

const calls = counter(METRICS.calls);
const escalations = counter(METRICS.escalationAttempts);

/** Answers tool-call questions of one proven workload at a time. */
export class Evaluating {
  readonly #reads: RememberedReads;
  readonly #standings = new RememberedStandings();
  readonly #turns = new Turns();
  readonly #grouped: Grouped;

  constructor(private readonly on: EvaluationDependencies) {
    this.#reads = new RememberedReads(on.clock);
    this.#grouped = group(on.database);
  }

  /**
   * Answers in the order of the questions, as many as the semantic asks for.
   * @throws PolicyUnavailable, StoreUnavailable; NotReady when the world does not stand still
   */
  async evaluate(agent: string, { asked, semantic, used }: Questions): Promise<readonly Answer[]> {
    await this.#noteUsed(agent, used);
    const answers: Answer[] = [];
    for (let tries = 0, anew = false; answers.length < asked.length; anew = true) {
      const settled = await this.#round(agent, asked.slice(answers.length), { semantic, anew });
      if (settled.length === 0 && (tries += 1) === MOST_TRIES) throw new NotReady('what this rests on changes all the time; ask again');
      for (const each of settled) note(each);
      answers.push(...settled.map(({ answer }) => answer));
      const last = answers.at(-1);
      if (last && isLast(semantic, last)) break;
    }
    return answers;
  }

  /** Adds what the agent's own live task has used. @throws TaskNotFound, TaskClosed, InvalidRequest before it was granted anything */
  async report(taskId: TaskId, agent: string, report: UsageReport): Promise<void> {
    const { id, state } = await grantFor(this.on.database, taskId, agent);
    if (state === 'closing' || state === 'closed') throw new TaskClosed();
    if (state !== 'granted') throw new InvalidRequest('nothing is granted to this task, so that it can have used nothing');
    await reportUsage(this.on.database, id, report);
  }

  async #noteUsed(agent: string, used: Questions['used']): Promise<void> {
    if (used.length === 0) return;
    const standings = await this.#grouped.standings(taskIdsOf(used));
    for (const { taskId, ...report } of used) {
      const { grant } = standings.get(taskId) ?? {};
      if (grant?.agentId === agent && grant.state === 'granted') await reportUsage(this.on.database, grant.id, report);
    }
  }

  async #round(
    agent: string,
    asked: readonly Asked[],
    { semantic, anew }: Pick<Questions, 'semantic'> & { readonly anew: boolean },
  ): Promise<readonly Judged[]> {
    const { database, clock } = this.on;
    const taskIds = taskIdsOf(asked);
    const { standings, policy } = (!anew && this.#standings.of(agent, taskIds)) || (await this.#look(taskIds));
    return inTraceOf(standings, agent, async () => {
      const bench = { agent, standings, policy, reads: this.#reads, clock };
      const judged = await Promise.all(asked.map((each) => judge(bench, each)));
      return settle({ database, grouped: this.#grouped, turns: this.#turns, clock, policy, semantic, agent }, judged);
    });
  }

  async #look(taskIds: readonly string[]): Promise<Known> {
    const { database, policies } = this.on;
    const standings = await this.#grouped.standings(taskIds);
    const [any] = standings.values();
    const known = { standings, policy: any && (await policies.of(database, any.policy)) };
    if (any) this.#standings.note(known);
    return known;
  }
}

const taskIdsOf = (asked: readonly (Asked | { readonly taskId: string })[]): string[] => [
  ...new Set(asked.flatMap((each) => ('taskId' in each ? [each.taskId] : []))),
];

/** In the trace of the agent's own task, which goes on where it began; the caller's own is linked. */
function inTraceOf<T>(standings: Known['standings'], agent: string, work: () => Promise<T>): Promise<T> {
  const own = [...standings.values()].find(({ grant }) => grant.agentId === agent)?.grant;
  const parent = own?.traceparent ? { traceparent: own.traceparent, ...(own.tracestate && { tracestate: own.tracestate }) } : undefined;
  const caller = currentTrace();
  const attributes = { [ATTRIBUTES.taskId]: own?.taskId, [ATTRIBUTES.agent]: agent };
  return withSpan(SPANS.evaluate, { parent, links: parent && caller ? [caller] : [], attributes }, work);
}

function note({ answer, own }: Judged): void {
  const reason = own?.ruling.reasons[0] ?? ('reason' in answer.context ? answer.context.reason : 'unreadable');
  calls.add(1, { [ATTRIBUTES.decision]: answer.decision ? 'permit' : 'deny', [ATTRIBUTES.reason]: reason });
  if (reason === 'off-plan') escalations.add(1, { [ATTRIBUTES.workflow]: own?.standing.grant.request?.workflow.name });
}

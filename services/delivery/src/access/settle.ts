/**
 * Counting what was judged: budgets, refusals, evidence and the ladder, all in one transaction or not at all.
 * @module
 */
import type { Clock } from '@mayfly/domain';
import { isOverBudget, nextStep, UNUSED, type BehaviourStep, type Grant, type Usage } from '@mayfly/grant';
import type { Policy } from '@mayfly/policy';
import { lockUsage, readStandings, saveUsage, standsTheSame, stateFacts, type Database } from '@mayfly/store';
import { workflowOf } from '../workflow-of.js';
import { climb } from './climb.js';
import { factOf } from './fact-of.js';
import type { Grouped } from './group.js';
import { refusal, rule, type Judged } from './judge.js';
import { isLast, type Semantic } from './question.js';
import type { Turns } from './turns.js';

/** What settling works with. */
export interface Settling {
  readonly database: Database;
  readonly grouped: Grouped;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly policy: Policy | undefined;
  readonly semantic: Semantic;
  readonly agent: string;
}

/**
 * Refusals that tell of the task's behaviour. Not that the world moved (a registration is gone), and not that we failed: an outage of a
 * decider must not bring a task down.
 */
const TELLING = new Set([
  'off-plan',
  'over-budget',
  'no-policy-permits',
  'policy-denies',
  'subject-mismatch',
  'task-narrowed',
  'task-suspended',
]);
const tells = ({ own }: Judged): boolean =>
  own?.standing.grant.state === 'granted' && own.ruling.reasons.some((reason) => TELLING.has(reason));
const isPermit = ({ answer }: Judged): boolean => answer.decision;
const isLive = ({ own }: Judged): boolean => own?.standing.grant.state === 'granted';

/**
 * Settles as many of these as can be answered with what they rest on: none when it has moved meanwhile, and none after the one that raised
 * the task's behaviour. The rest has to be judged again.
 */
export async function settle(on: Settling, judged: readonly Judged[]): Promise<readonly Judged[]> {
  const [first] = judged;
  if (!first) return [];
  const wanted = on.semantic === 'permit_on_first_permit' && isPermit(first) ? [first] : judged;
  if (wanted.every(({ own }) => own === undefined)) return untilLast(on.semantic, wanted);
  // Whoever is not permitted at once comes one after the other, each agent for itself.
  return (await countAtOnce(on, wanted)) ?? on.turns.take(on.agent, () => countInTurn(on, wanted));
}

/** What nearly every request is: permits for one task, within its budgets. Undefined when it is not. */
async function countAtOnce({ grouped, clock, policy }: Settling, judged: readonly Judged[]): Promise<readonly Judged[] | undefined> {
  const { standing } = judged[0]?.own ?? {};
  if (!standing || !judged.every((each) => isPermit(each) && each.own?.standing === standing)) return undefined;
  const facts = judged.flatMap((each) => factOf(each, clock.now()));
  const counted = await grouped.count({ standing, calls: judged.length, budgets: workflowOf(policy?.set, standing.grant)?.budgets, facts });
  return counted ? judged : undefined;
}

/** One after the other under the lock of what the tasks have used. */
function countInTurn({ database, clock, policy, semantic }: Settling, judged: readonly Judged[]): Promise<readonly Judged[]> {
  return database.transaction('settle calls', async (tx) => {
    const at = clock.now();
    const grants = judged.flatMap(({ own }) => (own ? [own.standing.grant] : []));
    const before = await lockUsage(
      tx,
      grants.flatMap(({ id, state }) => (state === 'granted' ? [id] : [])),
    );
    const usage = new Map(before);
    const now = await readStandings(tx, [...new Set(grants.map(({ taskId }) => taskId))]);
    if (!judged.every(({ own }) => !own || standsTheSame(own.standing, now.get(own.question.taskId)))) return [];
    const settled: Judged[] = [];
    let due: Due | undefined;
    for (const each of judged) {
      const counted = count(each, usage, policy);
      settled.push(counted);
      due = stepDue(counted, usage, policy);
      if (due || isLast(semantic, counted.answer)) break;
    }
    for (const [id, used] of usage) if (used !== before.get(id)) await saveUsage(tx, id, used);
    await stateFacts(
      tx,
      settled.flatMap((each) => factOf(each, at)),
    );
    if (due) await climb(tx, due.own, { ...due, at });
    return settled;
  });
}

/** Counts one; a permit for which nothing is left is none. */
function count(judged: Judged, usage: Map<string, Usage>, policy: Policy | undefined): Judged {
  const { own } = judged;
  if (!own || !isLive(judged)) return judged;
  const { id } = own.standing.grant;
  const used = usage.get(id) ?? UNUSED;
  const over = isPermit(judged) && isOverBudget(used, workflowOf(policy?.set, own.standing.grant)?.budgets);
  const counted = over ? rule(own.question, own.standing, refusal(own.standing, 'over-budget')) : judged;
  usage.set(id, { ...used, calls: used.calls + (isPermit(counted) ? 1 : 0), refused: used.refused + (tells(counted) ? 1 : 0) });
  return counted;
}

/** A step that a refusal leads to. */
interface Due {
  readonly own: { readonly grant: Grant; readonly decisionId: string };
  readonly to: BehaviourStep;
  readonly refused: number;
}

function stepDue(judged: Judged, usage: ReadonlyMap<string, Usage>, policy: Policy | undefined): Due | undefined {
  const { own } = judged;
  if (!own || !tells(judged)) return undefined;
  const { grant } = own.standing;
  const { refused } = usage.get(grant.id) ?? UNUSED;
  const to = nextStep(workflowOf(policy?.set, grant)?.behaviour, grant.behaviour, refused);
  return to && { own: { grant, decisionId: own.ruling.id }, to, refused };
}

function untilLast(semantic: Semantic, judged: readonly Judged[]): readonly Judged[] {
  const last = judged.findIndex(({ answer }) => isLast(semantic, answer));
  return last < 0 ? judged : judged.slice(0, last + 1);
}

/**
 * Whether a question has the form that a policy set's schema was tried with.
 * @module
 */
import type { KnownQuestion } from './refuse-by-registration.js';

/**
 * True when every field of the question is of its type, in Cedar's words too. Types say so already; but what was read from a ledger or an
 * event is only said to be of them, and a question that is not has to fail.
 */
export function hasPlainForm(question: KnownQuestion): boolean {
  const { task, agent, workflow, at } = question;
  const { intent, initiator, approval } = task;
  return (
    texts(task.taskId, task.tenant, task.source, task.behaviour, intent.purpose, workflow.name, agent.id, agent.tenant, agent.owner) &&
    optional(texts, intent.dataClass, task.parentTaskId, workflow.environment, initiator?.id, initiator?.kind, approval?.by) &&
    intent.plan.every(({ tool, action, resource, host }) => texts(tool, action, resource) && optional(texts, host)) &&
    wholes(task.risk, task.delegationDepth) &&
    optional(wholes, task.attempt, workflow.autonomyTier) &&
    moments(at) &&
    optional(moments, approval?.at) &&
    // A task is not in itself.
    task.parentTaskId !== task.taskId &&
    hasPlainTarget(question)
  );
}

function hasPlainTarget(question: KnownQuestion): boolean {
  switch (question.action) {
    case 'call': {
      const { tool, verb, resource, host } = question.call;
      return texts(tool, verb, resource.type, resource.id, question.access) && optional(texts, host);
    }
    case 'delegate':
      return texts(question.to.id, question.to.tenant, question.to.owner);
    default: {
      const { name, engine, shape, dataClass, access } = question.capability;
      return texts(name, engine, shape, dataClass, access);
    }
  }
}

/** Half characters would become others on their way to Cedar, and be compared as those. */
const texts = (...values: readonly unknown[]): boolean => values.every((value) => typeof value === 'string' && value.isWellFormed());
const wholes = (...values: readonly unknown[]): boolean => values.every((value) => Number.isSafeInteger(value));
/** From year 0 to 9999. */
const moments = (...values: readonly unknown[]): boolean =>
  values.every((value) => value instanceof Date && !Number.isNaN(value.getTime()) && value.toISOString().length === DATETIME.length);
const DATETIME = '2026-11-22T10:00:00.000Z';
const optional = (are: (...values: readonly unknown[]) => boolean, ...values: readonly unknown[]): boolean =>
  values.every((value) => value === undefined || are(value));

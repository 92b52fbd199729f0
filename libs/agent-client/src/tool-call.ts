/**
 * May I make this call? (AuthZEN Authorization API 1.0)
 * @module
 */

/** A call of a tool, in the words of the task's plan. */
export interface ToolCall {
  readonly tool: string;
  /** What the tool is to do: the `action` of a step of the plan. */
  readonly action: string;
  /** On what: `id` is the `resource` of that step. */
  readonly resource: { readonly type: string; readonly id: string };
  /** Where, if the step names a host. */
  readonly host?: string;
}

/** What calls have used. Report each use once. */
export interface Usage {
  readonly rows?: number;
  readonly bytes?: number;
}

/** The answer to one call. Only `decision: true` lets it go ahead. */
export interface CallDecision {
  readonly decision: boolean;
  /** Stable code, for example `policy-permits`, `off-plan`, `over-budget`, `task-suspended`. */
  readonly reason: string;
  /** Leads to the evidence. Absent where nothing was decided, as for a task that is not this agent's. */
  readonly decisionId?: string;
}

/** An answer as it comes. */
export interface DecisionDocument {
  readonly decision?: unknown;
  readonly context?: { readonly reason?: string; readonly decisionId?: string; readonly error?: { readonly message?: string } };
}

/** Reads an answer: whatever is not a plain `true` is a no. */
export const readDecision = ({ decision, context = {} }: DecisionDocument): CallDecision => ({
  decision: decision === true,
  reason: context.reason ?? context.error?.message ?? 'unknown',
  ...(context.decisionId !== undefined && { decisionId: context.decisionId }),
});

/** The question about a call as it is sent, without its subject. */
export const questionOf = (taskId: string, { tool, action, resource, host }: ToolCall, usage?: Usage) => ({
  action: { name: action },
  resource,
  context: { taskId, tool, ...(host !== undefined && { host }), ...(usage && { usage }) },
});

/** Whom a token proves, as Mayfly calls him: a SPIFFE ID, or issuer and subject. Nothing is verified here; the service does that. */
export function subjectOf(token: string): { readonly type: 'agent'; readonly id: string } {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const { iss, sub } = JSON.parse(payload) as { iss?: string; sub?: string };
  if (!sub) throw new TypeError('the token has no subject');
  return { type: 'agent', id: /^spiffe:/i.test(sub) ? sub : `${iss}#${sub}` };
}

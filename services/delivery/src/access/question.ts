/**
 * What a tool-call question asks and what it is answered (AuthZEN Authorization API 1.0, sections 5 to 7).
 * @module
 */
import type { TaskId } from '@mayfly/domain';
import type { ToolCall } from '@mayfly/policy';

/** May this task's agent do this tool call now? */
export interface Question {
  /** Who is said to ask; believed only where it is the workload that proved itself. */
  readonly subject: { readonly type: string; readonly id: string };
  readonly taskId: TaskId;
  readonly call: ToolCall;
}

/** One of many questions that cannot be read; the others are answered all the same. */
export interface Unreadable {
  readonly error: { readonly status: number; readonly message: string };
}

/** A question, or what stands in its place. */
export type Asked = Question | Unreadable;

/** What a batch does with its answers. */
export const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;
/** One of {@link SEMANTICS}. */
export type Semantic = (typeof SEMANTICS)[number];

/** An answer as it is sent. */
export interface Answer {
  readonly decision: boolean;
  readonly context:
    Unreadable | { readonly reason: string; readonly decisionId?: string; readonly policyDigest?: string; readonly intentDigest?: string };
}

/** True when nothing after this answer is evaluated. */
export const isLast = (semantic: Semantic, { decision }: Answer): boolean =>
  semantic === 'deny_on_first_deny' ? !decision : semantic === 'permit_on_first_permit' && decision;

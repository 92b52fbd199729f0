/**
 * What an agent asks of Mayfly (public contract, section 3).
 * @module
 */
import type { KeyObject } from 'node:crypto';
import { DeliveredSecret, type SecretDocument } from './delivered-secret.js';
import { withPatience } from './patience.js';
import { MayflyProblem, problemOf } from './problem.js';
import { proofOfKey } from './proof-of-key.js';
import { questionOf, readDecision, subjectOf, type CallDecision, type DecisionDocument, type ToolCall, type Usage } from './tool-call.js';

/** Who asks, and whom. */
export interface AgentClientOptions {
  /** Base URL of the delivery service. */
  readonly url: string;
  /** Gives the workload's own token (JWT-SVID or OIDC, audience `mayfly`); called for every request, so that it may rotate. */
  readonly token: () => Promise<string> | string;
  /**
   * The private key (EC, P-256) that the token is bound to, if it is: every request then carries a fresh proof (DPoP, RFC 9449), and a token
   * that is stolen is of no use. {@link url} has to be the address that the service calls its own.
   */
  readonly proofKey?: KeyObject;
  /** Default: the built-in `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** The W3C `traceparent` of what the agent does now; it is passed on. */
  readonly traceparent?: () => string | undefined;
  /** How long calls other than {@link AgentClient.secret} go on trying while the service is away; default 10. */
  readonly patienceSeconds?: number;
}

/** One credential of a task, without its secret. */
export interface TaskCredential {
  readonly name: string;
  readonly capability: string;
  readonly state: string;
  readonly shape?: string;
  readonly decisionId: string;
  readonly reasons: readonly string[];
  readonly leaseRef?: string;
  readonly expiresAt?: string;
}

/** A task as its agent sees it. */
export interface TaskState {
  readonly taskId: string;
  readonly state: string;
  /** `normal`, `warned`, `narrowed` (may only read) or `suspended` (gets nothing), by its own refused calls. */
  readonly behaviour: string;
  readonly deadline?: string;
  readonly credentials: readonly TaskCredential[];
}

/** Talks to the delivery service for one agent. Every method throws {@link MayflyProblem}. */
export interface AgentClient {
  /** The task's state and its credentials'. */
  task(taskId: string): Promise<TaskState>;
  /**
   * One credential. An agent may ask before its task's start was processed.
   * @param options `waitSeconds`: how long to wait for it in all, default 10
   */
  secret(taskId: string, name: string, options?: { readonly waitSeconds?: number }): Promise<DeliveredSecret>;
  /**
   * Whether the task may make this call now. Ask right before each call; who cannot ask may not call.
   * @param usage what the calls before it have used
   */
  mayCall(taskId: string, call: ToolCall, usage?: Usage): Promise<boolean>;
  /** The same with the reason. */
  evaluate(taskId: string, call: ToolCall, usage?: Usage): Promise<CallDecision>;
  /** The same for up to 64 calls, each for itself, in their order. */
  evaluateAll(taskId: string, calls: readonly ToolCall[], usage?: Usage): Promise<readonly CallDecision[]>;
  /** Says what calls have used; it is added to what was said before. */
  reportUsage(taskId: string, usage: Usage): Promise<void>;
  /** A sign of life. */
  heartbeat(taskId: string): Promise<void>;
  /** Gives back credentials that are no longer needed: the named ones, or the whole task's. They are revoked soon after. */
  release(taskId: string, names?: readonly string[]): Promise<void>;
}

const DEFAULT_SECONDS = 10;
/** The longest that the service holds a request. */
const LONGEST_HOLD_SECONDS = 30;
/** An answer takes so long at most, beyond the hold that was asked for. */
const ANSWER_SECONDS = 10;

/**
 * Makes a client.
 * @example
 * const mayfly = createAgentClient({ url: process.env.MAYFLY_URL, token: () => readFile('/run/svid/mayfly.jwt', 'utf8') });
 * const { data } = await mayfly.secret(taskId, 'orders', { waitSeconds: 10 });
 */
export function createAgentClient(options: AgentClientOptions): AgentClient {
  const { patienceSeconds = DEFAULT_SECONDS } = options;
  const patiently = (method: string, path: string, body?: unknown): Promise<Response> =>
    withPatience(patienceSeconds, () => call(options, method, path, ANSWER_SECONDS, body));
  const pathOf = (taskId: string): string => `/v1/tasks/${encodeURIComponent(taskId)}`;
  const subject = async () => subjectOf((await options.token()).trim());
  const evaluate = async (taskId: string, call: ToolCall, usage?: Usage): Promise<CallDecision> => {
    const answer = await patiently('POST', '/access/v1/evaluation', { subject: await subject(), ...questionOf(taskId, call, usage) });
    return readDecision((await answer.json()) as DecisionDocument);
  };

  return {
    task: async (taskId) => (await (await patiently('GET', pathOf(taskId))).json()) as TaskState,
    secret: (taskId, name, { waitSeconds = DEFAULT_SECONDS } = {}) =>
      withPatience(waitSeconds, async (left) => {
        const hold = Math.min(LONGEST_HOLD_SECONDS, Math.floor(left));
        const path = `${pathOf(taskId)}/secrets/${encodeURIComponent(name)}${hold > 0 ? `?wait=${hold}s` : ''}`;
        const response = await call(options, 'GET', path, hold + ANSWER_SECONDS);
        return new DeliveredSecret((await response.json()) as SecretDocument);
      }),
    mayCall: async (...asked) => (await evaluate(...asked)).decision,
    evaluate,
    evaluateAll: async (taskId, calls, usage) => {
      const evaluations = calls.map((call) => questionOf(taskId, call));
      // Used once, so that it is said once.
      const [first, ...rest] = evaluations;
      if (!first) return [];
      const counted = [{ ...first, context: { ...first.context, ...(usage && { usage }) } }, ...rest];
      const answer = await patiently('POST', '/access/v1/evaluations', { subject: await subject(), evaluations: counted });
      return ((await answer.json()) as { evaluations: DecisionDocument[] }).evaluations.map(readDecision);
    },
    reportUsage: async (taskId, usage) => void (await patiently('POST', `${pathOf(taskId)}/usage`, usage)),
    heartbeat: async (taskId) => void (await patiently('POST', `${pathOf(taskId)}/heartbeat`)),
    release: async (taskId, names) => void (await patiently('POST', `${pathOf(taskId)}/release`, names && { names })),
  };
}

async function call(options: AgentClientOptions, method: string, path: string, seconds: number, body?: unknown): Promise<Response> {
  const { fetch = globalThis.fetch, traceparent } = options;
  const url = `${options.url.replace(/\/+$/, '')}${path}`;
  const trace = traceparent?.();
  const headers = {
    ...(await proven(options, method, url)),
    accept: 'application/json',
    ...(trace !== undefined && { traceparent: trace }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const response = await fetch(url, {
    method,
    headers,
    redirect: 'error', // a token goes to whom it was meant for
    signal: AbortSignal.timeout(seconds * 1000),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new MayflyProblem(
      'Mayfly cannot be reached; check the url and that the service runs',
      { code: 'unreachable', status: 0 },
      { cause: error },
    );
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** The headers that say who asks. */
async function proven({ token, proofKey }: AgentClientOptions, method: string, url: string): Promise<Readonly<Record<string, string>>> {
  const own = (await token()).trim();
  if (!proofKey) return { authorization: `Bearer ${own}` };
  return { authorization: `DPoP ${own}`, dpop: proofOfKey(proofKey, { method, url, token: own }) };
}

/**
 * One way to call Vault: node-vault's `request`, with checked paths, fresh headers, a deadline, a bounded retry, errors without secrets,
 * and a span. Nothing else in this lib sends anything.
 * @module
 */
import { setTimeout as pause } from 'node:timers/promises';
import { VaultUnavailable, type Secret } from '@mayfly/domain';
import { ATTRIBUTES, histogram, METRICS, SPAN_PATTERNS, withSpan, errorType, type ActiveSpan } from '@mayfly/telemetry';
import nodeVault from 'node-vault';
import { readAnswer, type VaultAnswer } from './answer.js';
import { CallLimiter } from './call-limiter.js';
import { refusalReason, VaultRefused } from './errors.js';
import { fillPath } from './path.js';
import { send } from './transport.js';

/** One call. */
export interface VaultCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Template of the path, which is also what traces show; see {@link fillPath}. Ids that act as capabilities go into `body`, or are named here and filled. */
  readonly path: string;
  readonly values?: Readonly<Record<string, string>>;
  /** Goes behind the path; never anything secret. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly token?: Secret<string>;
  /** True when doing it twice is the same as doing it once. Only then is it tried again. */
  readonly idempotent: boolean;
  /** Overrides the client's. */
  readonly timeoutMs?: number;
  /** True when Vault itself calls a target for it: silence then says nothing about Vault. */
  readonly reachesTarget?: boolean;
}

const TRIES = 3;
const FIRST_PAUSE_MS = 50;
const DEFAULT_TIMEOUT_MS = 5_000;
/** Statuses below 500 that say "not now". */
const NOT_NOW = new Set([412, 429, 472, 473]);

const duration = histogram(METRICS.httpClientDuration);

/** A Vault or OpenBao server. Holds no token. */
export class VaultClient {
  readonly #vault: nodeVault.client;
  readonly #server: URL;

  /**
   * @param address for example `http://127.0.0.1:8200`
   * @param timeoutMs longest time of one call with all its tries, once it has a place
   * @param limiter bounds how many calls are under way
   */
  constructor(
    address: string,
    readonly timeoutMs: number = DEFAULT_TIMEOUT_MS,
    readonly limiter: CallLimiter = new CallLimiter(),
  ) {
    this.#server = new URL(address);
    this.#vault = nodeVault({
      endpoint: address,
      'request-promise': { defaults: () => send },
      // Its own would print bodies when DEBUG is set.
      debug: () => undefined,
    });
    // It takes these from the environment; a token there would go along with every call, and a prefix would move every path.
    Object.assign(this.#vault, { token: '', namespace: undefined, pathPrefix: '' });
  }

  /**
   * @throws VaultUnavailable when there is no answer, or one that says "not now"
   * @throws VaultRefused when Vault says no
   * @throws InvalidRequest when the path cannot be sent
   */
  async call(call: VaultCall): Promise<VaultAnswer> {
    const path = fillPath(call.path, call.values);
    const attributes = {
      [ATTRIBUTES.httpMethod]: call.method,
      [ATTRIBUTES.urlTemplate]: `/v1/${call.path}`,
      [ATTRIBUTES.serverAddress]: this.#server.hostname,
      [ATTRIBUTES.serverPort]: Number(this.#server.port) || undefined,
    };
    return withSpan(SPAN_PATTERNS.vault(call.path), { kind: 'client', attributes }, async (span) => {
      const startedAt = performance.now();
      let outcome: string | undefined;
      try {
        return await this.limiter.run(() => this.#try(call, path, span));
      } catch (error) {
        outcome = errorType(error);
        throw error;
      } finally {
        duration.since(startedAt, { ...attributes, [ATTRIBUTES.errorType]: outcome });
      }
    });
  }

  async #try(call: VaultCall, path: string, span: ActiveSpan): Promise<VaultAnswer> {
    const signal = AbortSignal.timeout(call.timeoutMs ?? this.timeoutMs);
    for (let tried = 1; ; tried += 1) {
      try {
        const answer = await this.#once(call, path, signal);
        span.set({ [ATTRIBUTES.httpStatus]: 200 });
        return answer;
      } catch (error) {
        if (saysTooMuch(error, call.reachesTarget ?? false)) this.limiter.overloaded();
        const failure = mapped(error, call.path);
        if (failure instanceof VaultRefused) span.set({ [ATTRIBUTES.httpStatus]: failure.vaultStatus });
        const again = call.idempotent && failure instanceof VaultUnavailable && tried < TRIES && !signal.aborted;
        if (!again) throw failure;
        span.set({ [ATTRIBUTES.httpResend]: tried });
        await pause(FIRST_PAUSE_MS * 3 ** (tried - 1) * (0.5 + Math.random()));
      }
    }
  }

  async #once({ method, query, body, token }: VaultCall, path: string, signal: AbortSignal): Promise<VaultAnswer> {
    // A new object each time: node-vault writes into what it is given, and a token would stick.
    const headers = token ? { 'X-Vault-Token': token.reveal() } : {};
    return readAnswer(
      await this.#vault.request({
        method,
        path: `/${path}${query ? `?${new URLSearchParams(query).toString()}` : ''}`,
        headers,
        signal,
        ...(body && { json: body }),
      }),
    );
  }
}

/** Whether fewer calls at once would help: Vault says so, or does not answer. */
function saysTooMuch(error: unknown, reachesTarget: boolean): boolean {
  const status = (error as { response?: { statusCode?: number } }).response?.statusCode;
  return status === undefined ? !reachesTarget : status === 429 || status === 503;
}

/** Turns whatever was thrown into an error that may leave. Nothing of the original goes along but a status or an error code. */
function mapped(error: unknown, operation: string): Error {
  const response = (error as { response?: { statusCode?: number; body?: unknown } }).response;
  const status = response?.statusCode;
  if (status === undefined) return new VaultUnavailable(undefined, { cause: new Error(errorCode(error)) });
  if (status < 400) return new VaultUnavailable('the secrets engine answered with a redirect, which is refused; name the active server');
  if (status >= 500 || NOT_NOW.has(status)) return new VaultUnavailable(undefined, { cause: new Error(`status ${status}`) });
  return new VaultRefused(refusalReason(status, response?.body), status, operation);
}

function errorCode(error: unknown): string {
  const { name, code } = error as { name?: string; code?: unknown };
  return typeof code === 'string' ? code : (name ?? 'unknown');
}

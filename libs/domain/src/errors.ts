/**
 * Errors by code. Callers switch on `code`, never on the message. Every code is stable: it is what
 * an HTTP problem (`urn:mayfly:problem:<code>`) and an event's `reason` carry.
 * @module
 */

/** What a code may carry to the outside beside its sentence. Never anything secret. */
export interface Extras {
  /** Wait so long before trying again, in seconds (HTTP `Retry-After`). */
  readonly retryAfterSeconds?: number;
  /** The decision that refused. */
  readonly decisionId?: string;
}

/** Base of every failure that Mayfly names. */
export class MayflyError extends Error {
  override readonly name: string = 'MayflyError';
  /**
   * @param code stable, lower case with hyphens
   * @param message one sentence that says what is wrong and what to do next; goes to the outside, so nothing secret
   * @param status the HTTP status it has when it reaches a client
   * @param retriable true when the same call may succeed later without anybody changing anything
   */
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly retriable: boolean,
    readonly extras: Extras = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The caller sent something that can never work. HTTP 400. */
export class InvalidRequest extends MayflyError {
  constructor(message: string) {
    super('invalid-request', message, 400, false);
  }
}

/** The token does not prove who is asking. HTTP 401. The sentence never says which check failed to whom. */
export class InvalidToken extends MayflyError {
  constructor(message = 'the bearer token was not accepted; send a valid token for this audience') {
    super('invalid-token', message, 401, false);
  }
}

/** The caller is known but may not do this. HTTP 403. */
export class Forbidden extends MayflyError {
  constructor(message: string) {
    super('forbidden', message, 403, false);
  }
}

/** Unknown task, or another workload's: the two look alike on purpose. HTTP 404. */
export class TaskNotFound extends MayflyError {
  constructor() {
    super('task-not-found', 'no such task for this workload; check the task id and the identity of the token', 404, false);
  }
}

/** The grant is not decided or minted yet. HTTP 409 with Retry-After. */
export class NotReady extends MayflyError {
  constructor(message = 'not ready yet; ask again, or wait with ?wait=10s', retryAfterSeconds = 1) {
    super('not-ready', message, 409, true, { retryAfterSeconds });
  }
}

/** A human has yet to approve. HTTP 409. */
export class PendingApproval extends MayflyError {
  constructor() {
    super('pending-approval', 'a person has to approve this first', 409, true, { retryAfterSeconds: 5 });
  }
}

/** Policy said no. HTTP 403 with the decision's id. */
export class Denied extends MayflyError {
  constructor(decisionId?: string) {
    super('denied', 'policy denies this; the decision id leads to its reasons', 403, false, decisionId ? { decisionId } : {});
  }
}

/** A task that had to be stopped had read this version of it. HTTP 409; its owner has to rotate it. */
export class SecretTainted extends MayflyError {
  constructor() {
    super(
      'secret-tainted',
      'a task that was stopped had read this secret; it is handed out again once its owner has rotated it',
      409,
      false,
    );
  }
}

/** The task has ended: nothing will ever be handed out for it again. HTTP 410. */
export class TaskClosed extends MayflyError {
  constructor() {
    super('task-closed', 'the task has ended; start a new task with a new id', 410, false);
  }
}

/** The capability's `maxFetches` is used up. HTTP 429. */
export class FetchLimit extends MayflyError {
  constructor() {
    super('fetch-limit', 'this credential was fetched as often as its capability allows', 429, false);
  }
}

/** A quota of the tenant, orchestrator or agent is used up for now. HTTP 429 with Retry-After. */
export class QuotaExceeded extends MayflyError {
  constructor(message = 'as many credentials were minted in the last minute as the quota allows; try again later', retryAfterSeconds = 15) {
    super('quota-exceeded', message, 429, true, { retryAfterSeconds });
  }
}

/** Vault did not answer, is sealed, or failed. HTTP 503 with Retry-After. */
export class VaultUnavailable extends MayflyError {
  constructor(message = 'the secrets engine cannot be reached; try again shortly', options?: ErrorOptions) {
    super('vault-unavailable', message, 503, true, { retryAfterSeconds: 2 }, options);
  }
}

/** The ledger did not answer: no access is given without it. HTTP 503 with Retry-After. */
export class StoreUnavailable extends MayflyError {
  constructor(options?: ErrorOptions) {
    super('store-unavailable', 'the ledger cannot be reached; try again shortly', 503, true, { retryAfterSeconds: 2 }, options);
  }
}

/** False where the ledger did not answer: what failed for many at once is then of no use to try one by one, it is away for each of them. */
export const ledgerAnswered = (error: unknown): boolean => !(error instanceof StoreUnavailable);

/** A process was started with settings that cannot work. Names keys, never values. */
export class BadConfig extends MayflyError {
  constructor(message: string) {
    super('bad-config', message, 500, false);
  }
}

/**
 * What a refused or failed call says (RFC 9457).
 * @module
 */

/** Details of a problem beside its sentence. */
export interface ProblemDetails {
  /** Stable code: switch on it, never on the message. `unreachable` when no answer came, `http-error` for an answer that is no problem document. */
  readonly code: string;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** Wait so long before asking again, in seconds. */
  readonly retryAfterSeconds?: number;
  /** The decision that refused. */
  readonly decisionId?: string;
}

/** A call that was refused or failed. Holds nothing secret. */
export class MayflyProblem extends Error implements ProblemDetails {
  override readonly name = 'MayflyProblem';
  readonly code: string;
  readonly status: number;
  readonly retryAfterSeconds?: number;
  readonly decisionId?: string;

  constructor(message: string, details: ProblemDetails, options?: ErrorOptions) {
    super(message, options);
    this.code = details.code;
    this.status = details.status;
    if (details.retryAfterSeconds !== undefined) this.retryAfterSeconds = details.retryAfterSeconds;
    if (details.decisionId !== undefined) this.decisionId = details.decisionId;
  }
}

/** The problem that an answer with an error status tells. */
export async function problemOf(response: Response): Promise<MayflyProblem> {
  const { status } = response;
  const said = await documentOf(response);
  const text = (key: string): string | undefined => (typeof said[key] === 'string' ? said[key] : undefined);
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const decisionId = text('decisionId');
  return new MayflyProblem(text('detail') ?? text('title') ?? `the service answered with status ${status}`, {
    code: text('code') ?? 'http-error',
    status,
    ...(retryAfter >= 0 && { retryAfterSeconds: retryAfter }),
    ...(decisionId !== undefined && { decisionId }),
  });
}

async function documentOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const type = response.headers.get('content-type') ?? '';
  if (!/^application\/(problem\+)?json/i.test(type)) return {};
  const said: unknown = await response.json().catch(() => undefined);
  return typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {};
}

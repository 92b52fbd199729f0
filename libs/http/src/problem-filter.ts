/**
 * Errors as RFC 9457 problems: a stable code, a sentence that says what to do next, nothing from inside.
 * @module
 */
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { MayflyError } from '@mayfly/domain';
import type { Logger } from '@mayfly/telemetry';
import type { Request, Response } from 'express';

/** A problem as it is sent. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly decisionId?: string;
}

/** What the framework refuses by itself, by status. */
const OF_THE_FRAMEWORK: Readonly<Record<number, readonly [code: string, detail: string]>> = {
  400: ['invalid-request', 'the request cannot be read; send well-formed JSON'],
  404: ['no-such-route', 'there is nothing at this path; see docs/openapi.yaml'],
  405: ['method-not-allowed', 'this path has other methods; the header Allow lists them'],
  408: ['request-timeout', 'the request took too long to arrive'],
  413: ['request-too-large', 'the body is too large'],
  415: ['unsupported-media-type', 'send application/json'],
  431: ['request-too-large', 'the headers are too large'],
};

/** The problem that an error becomes. */
export function problemOf(error: unknown): Problem & { readonly retryAfterSeconds?: number } {
  if (error instanceof MayflyError) {
    const { code, status, message, extras } = error;
    return { ...problem(code, status, message), ...extras };
  }
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  const known = status === undefined ? undefined : OF_THE_FRAMEWORK[status];
  if (status !== undefined && known) return problem(known[0], status, known[1]);
  return problem('internal', 500, 'something went wrong inside; the trace of this request tells more');
}

const problem = (code: string, status: number, detail: string): Problem => ({
  type: `urn:mayfly:problem:${code}`,
  title: code.replaceAll('-', ' '),
  status,
  code,
  detail,
});

/** Errors of the body parser carry a status of their own. */
const statusOf = (error: unknown): number | undefined => {
  const status = (error as { status?: unknown } | null)?.status;
  return error instanceof Error && typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
};

/** Sends every error of every route as a problem; to who asks for text alone, its sentence (AuthZEN 1.0: an error message string). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  /** @param challenge how to prove who asks (RFC 9110, 11.6.1) */
  constructor(
    private readonly logger: Logger,
    private readonly challenge = 'Bearer',
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const { retryAfterSeconds, ...body } = problemOf(error);
    if (body.status >= 500) this.logger.error('request failed', { code: body.code, error });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
    if (body.status === 401) response.setHeader('WWW-Authenticate', this.challenge);
    response.status(body.status);
    if (http.getRequest<Request>().accepts(['application/problem+json', 'application/json', 'text/plain']) === 'text/plain')
      response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(body.detail);
    else response.setHeader('Content-Type', 'application/problem+json').end(JSON.stringify(body));
  }
}

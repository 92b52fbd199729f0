/**
 * A span and a duration for every request, after the HTTP semantic conventions.
 * @module
 */
import type { NextFunction, Request, Response } from 'express';
import { ATTRIBUTES, histogram, METRICS, parseTrace, SPAN_PATTERNS, withSpan } from '@mayfly/telemetry';

const duration = histogram(METRICS.httpServerDuration);
/** Probes and scrapes come all the time and would bury everything else. */
const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

/** Express middleware. The caller's trace is the parent; what is done for a task links into that task's own trace. */
export function requestSpans(request: Request, response: Response, next: NextFunction): void {
  if (QUIET.has(request.path)) {
    next();
    return;
  }
  const startedAt = performance.now();
  const parent = parseTrace({ traceparent: request.headers['traceparent'], tracestate: request.headers['tracestate'] });
  void withSpan(
    SPAN_PATTERNS.serve(request.method),
    { kind: 'server', parent, attributes: { [ATTRIBUTES.httpMethod]: request.method, [ATTRIBUTES.urlScheme]: 'http' } },
    (span) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      response.once('close', () => {
        const route = (request.route as { path?: string } | undefined)?.path;
        const labels = {
          [ATTRIBUTES.httpMethod]: request.method,
          [ATTRIBUTES.httpRoute]: route,
          [ATTRIBUTES.httpStatus]: response.statusCode,
        };
        span.rename(SPAN_PATTERNS.serve(request.method, route));
        span.set(labels);
        if (response.statusCode >= 500) span.fail(String(response.statusCode));
        duration.since(startedAt, labels);
        resolve();
      });
      next();
      return promise;
    },
  );
}

/**
 * Which methods a path has.
 * @module
 */
import { MethodNotAllowedException } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';

/** One entry of Express's routing table; what is no route is a middleware. */
interface Layer {
  match(path: string): boolean;
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
}

/** Express middleware: a path that exists is asked with its own methods; any other gets 405 and `Allow` (RFC 9110, 15.5.6). */
export function onlyKnownMethods(request: Request, response: Response, next: NextFunction): void {
  const { stack } = request.app.router as unknown as { readonly stack: readonly Layer[] };
  const method = request.method.toLowerCase();
  // What nearly every request is.
  if (stack.some((layer) => layer.route?.methods[method] && layer.match(request.path))) {
    next();
    return;
  }
  const methods = methodsAt(stack, request.path);
  if (methods.length === 0 || methods.includes(request.method)) {
    next();
    return;
  }
  response.setHeader('Allow', methods.join(', '));
  next(new MethodNotAllowedException());
}

function methodsAt(layers: readonly Layer[], path: string): readonly string[] {
  const routes = layers.flatMap((layer) => (layer.route && layer.match(path) ? [layer.route] : []));
  const methods = routes.flatMap((route) => Object.keys(route.methods)).map((method) => method.toUpperCase());
  return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))];
}

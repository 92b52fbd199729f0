/**
 * Bodies are JSON in UTF-8, or there are none. What the body parser does not know it would leave out silently, and an order that was not
 * understood would look like an empty one.
 * @module
 */
import { UnsupportedMediaTypeException } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';

const JSON_UTF8 = /^application\/(?:[\w.-]+\+)?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/** Express middleware: refuses any other body with 415, compressed ones too, since a small one can become a huge one. */
export function jsonOnly(request: Request, _response: Response, next: NextFunction): void {
  const { headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  const encoded = (headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity';
  const readable = JSON_UTF8.test(headers['content-type'] ?? '') && !encoded;
  next(hasBody && !readable ? new UnsupportedMediaTypeException() : undefined);
}

/** What JSON must not name: a reader that copies fields one by one would set the prototype of its copy. */
export function withoutPrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('not a field');
  return value;
}

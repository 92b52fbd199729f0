/**
 * What may be said about an error outside of the process that met it.
 * @module
 */
import { MayflyError } from '@mayfly/domain';

/** A low-cardinality name for `error.type`: a {@link MayflyError}'s code, else the class name. Never message text. */
export function errorType(error: unknown): string {
  if (error instanceof MayflyError) return error.code;
  return error instanceof Error ? error.constructor.name || 'Error' : typeof error;
}

/** Codes of the system and of servers (`ECONNREFUSED`, `28P01`) are safe; anything longer could be text. */
const SAFE_CODE = /^[A-Z0-9_]{1,40}$/;

/**
 * An error for a log line. Only a {@link MayflyError} has a message that is safe by contract; of any other error the
 * class, a system code and the stack's frames are kept, since its message may quote what it was given.
 */
export function describeError(error: unknown): Readonly<Record<string, unknown>> {
  const type = errorType(error);
  if (!(error instanceof Error)) return { type };
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  if (error instanceof MayflyError) return { type, message: error.message, retriable: error.retriable, ...cause };
  const code = (error as { code?: unknown }).code;
  return { type, ...(typeof code === 'string' && SAFE_CODE.test(code) && { code }), frames: framesOf(error), ...cause };
}

/** Where it was thrown: the stack without its first lines, which repeat the message. */
function framesOf(error: Error): string[] {
  const frames = (error.stack ?? '').split('\n').map((line) => line.trim());
  return frames.filter((line) => /^at .*:\d+:\d+\)?$/.test(line)).slice(0, 8);
}

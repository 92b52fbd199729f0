/**
 * What an error of a handler means for its record.
 * @module
 */
import { MayflyError } from '@mayfly/domain';
import { errorType } from '@mayfly/telemetry';
import type { ParkReason } from './ports.js';

/**
 * Says whether the record is parked, and why. Undefined means: try again.
 * @param error what the handler threw
 * @param tries how often the record was tried by now
 * @param limit after so many tries an unexpected error parks the record
 */
export function verdict(error: unknown, tries: number, limit: number): ParkReason | undefined {
  if ((error as { retriable?: unknown } | undefined)?.retriable === true) return undefined;
  if (error instanceof MayflyError) {
    const { reason = error.code, detail = error.message } = error as { reason?: string; detail?: string };
    return { reason, detail };
  }
  if (tries < limit) return undefined;
  return { reason: 'handler-failed', detail: `the handler failed ${tries} times, at last with ${errorType(error)}` };
}

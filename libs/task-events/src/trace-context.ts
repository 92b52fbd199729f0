/**
 * W3C trace context of an event.
 * @module
 */
import type { EventEnvelope } from '@mayfly/domain';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** Where trace context can be: a header or an extension attribute of that name. */
export type Attributes = Pick<ReadonlyMap<string, string>, 'get'>;

/**
 * The first valid trace context: the transport's headers carry the last hop and come first, the
 * CloudEvents extension carries the start. What is malformed is ignored, as the standard says.
 */
export function traceContextOf(...places: readonly Attributes[]): Pick<EventEnvelope, 'traceparent' | 'tracestate'> {
  const place = places.find((candidate) => TRACEPARENT.test(candidate.get('traceparent') ?? ''));
  const traceparent = place?.get('traceparent');
  const tracestate = place?.get('tracestate');
  return {
    ...(traceparent !== undefined && { traceparent }),
    ...(tracestate !== undefined && TRACESTATE.test(tracestate) && { tracestate }),
  };
}

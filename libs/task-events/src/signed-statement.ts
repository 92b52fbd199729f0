/**
 * What an orchestrator signs about an event.
 * @module
 */
import { digestOf } from '@mayfly/domain';
import { z } from 'zod';
import { time } from './forms.js';

/** `typ` of the signature's header, so that no other token can pass for an event's signature, or the other way round. */
export const STATEMENT_TYPE = 'mayfly-event+jws';

/** Name of the CloudEvents extension attribute that carries the signature, a compact JWS. */
export const SIGNATURE_ATTRIBUTE = 'mayflysignature';
/** Kafka header that carries it beside an event without attributes of its own (OpenLineage). */
export const SIGNATURE_HEADER = 'mayfly-signature';

/** Payload of the signature. */
export const statementForm = z.strictObject({
  /** CloudEvents `source`. */
  iss: z.string(),
  /** CloudEvents `id`. */
  jti: z.string(),
  /** CloudEvents `type`. */
  type: z.string(),
  /** CloudEvents `time`: the same moment, not necessarily written alike. */
  time,
  /** The one installation that the event is for. */
  aud: z.string(),
  /** {@link dataDigest} of the event's data, and with it the task, its agent and everything it asks for. */
  data: z.string(),
});

/** `sha256:…` over the RFC 8785 form of the data as it was understood; of `null` for an event without data. */
export const dataDigest = (data: unknown): string => digestOf(data ?? null);

/**
 * Security event tokens (RFC 8417) as CAEP and RISC use them: what a transmitter tells about a session, a person or an account.
 * @module
 */
import { sha256, type Clock } from '@mayfly/domain';
import { openToken, RefusedToken, verifyStatement, type PublicKey } from '@mayfly/identity';
import { z } from 'zod';
import { checkTimeWindow } from './check-time-window.js';
import { RejectedEvent } from './rejected-event.js';
import { namedBy, type EventSubject } from './event-subject.js';

/** Media type of a token, on the record or as the `datacontenttype` of a CloudEvent. */
export const SECURITY_EVENT_TYPE = 'application/secevent+jwt';
const TYP = 'secevent+jwt';
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';

/** Who may send tokens, as registered. */
export interface RegisteredTransmitter {
  readonly issuer: string;
  readonly tenant: string;
  /** The `aud` that its tokens must have; absent where the installation's own name is expected. */
  readonly audience?: string;
  readonly keys: readonly PublicKey[];
}

/** Risk levels of CAEP as Mayfly's numbers: the lower end of what policies call low, medium and high. */
export const RISK_LEVELS = { LOW: 10, MEDIUM: 50, HIGH: 90 } as const;

/** What a token says, as far as Mayfly acts on it. */
export type SecurityEventContent =
  | { readonly kind: 'risk'; readonly risk: number }
  | { readonly kind: 'session-revoked' }
  | { readonly kind: 'account'; readonly gone: boolean }
  /** An event that means nothing to a credential broker, or one about somebody whom it cannot know. */
  | { readonly kind: 'nothing'; readonly why: 'unknown-event' | 'unknown-subject' };

/** A token that its transmitter stands behind. */
export type SecurityEvent = SecurityEventContent & {
  readonly issuer: string;
  readonly tenant: string;
  /** `jti`. */
  readonly id: string;
  /** When it happened. */
  readonly at: Date;
  /** URI of the event. */
  readonly type: string;
  readonly subject: EventSubject;
  /** `sha256:…` over what was signed. */
  readonly digest: string;
};

const seconds = z.number().min(0).max(8_640_000_000_000);
const payload = z.looseObject({
  iss: z.string().min(1),
  aud: z.union([z.string(), z.array(z.string()).min(1).max(16)]),
  iat: seconds,
  jti: z.string().min(1).max(256),
  sub_id: z.unknown(),
  events: z.record(z.string().max(512), z.looseObject({ event_timestamp: seconds.optional() })),
});
const riskChange = z.looseObject({ current_level: z.enum(['LOW', 'MEDIUM', 'HIGH']) });

/**
 * Verifies a token by its transmitter's registered keys, and reads it.
 * @param transmitterOf looks a registration up by `iss`
 * @param audience this installation, for transmitters that have none of their own
 * @throws RejectedEvent when it has to be parked; what is no business of ours is no error
 */
export async function openSecurityEvent(
  token: string,
  transmitterOf: (issuer: string) => RegisteredTransmitter | undefined,
  audience: string,
  clock: Clock,
): Promise<SecurityEvent> {
  const transmitter = transmitterOf(issuerOf(token));
  if (!transmitter)
    throw new RejectedEvent('unregistered-transmitter', 'no transmitter is registered under this iss; register it in the policy set');
  const claims = await verified(token, transmitter);
  const { iss, aud, iat, jti, sub_id: subjectId, events } = read(claims);
  if (iss !== transmitter.issuer) throw new RejectedEvent('bad-signature', 'the signature is another transmitter’s');
  if (![aud].flat().includes(transmitter.audience ?? audience))
    throw new RejectedEvent('wrong-audience', 'the token is for another installation');
  checkTimeWindow({ time: new Date(iat * 1000) }, clock);
  const [first, ...others] = Object.entries(events);
  if (!first || others.length > 0) throw invalid('events has to hold exactly one event');
  const [type, event] = first;
  const subject = namedBy(subjectId);
  return {
    ...(subject ? contentOf(type, event) : ({ kind: 'nothing', why: 'unknown-subject' } as const)),
    issuer: iss,
    tenant: transmitter.tenant,
    id: jti,
    at: new Date((event.event_timestamp ?? iat) * 1000),
    type,
    subject: subject ?? {},
    digest: sha256(token.slice(0, token.lastIndexOf('.'))),
  };
}

function contentOf(type: string, event: unknown): SecurityEventContent {
  switch (type) {
    case `${CAEP}risk-level-change`: {
      const { success, data } = riskChange.safeParse(event);
      if (!success) throw invalid('current_level has to be LOW, MEDIUM or HIGH');
      return { kind: 'risk', risk: RISK_LEVELS[data.current_level] };
    }
    case `${CAEP}session-revoked`:
    case `${RISC}sessions-revoked`:
      return { kind: 'session-revoked' };
    case `${RISC}account-disabled`:
    case `${RISC}account-purged`:
      return { kind: 'account', gone: true };
    case `${RISC}account-enabled`:
      return { kind: 'account', gone: false };
    default:
      return { kind: 'nothing', why: 'unknown-event' };
  }
}

/** Good for finding the registration, for nothing else. */
function issuerOf(token: string): string {
  try {
    return openToken(token).issuer ?? '';
  } catch {
    throw invalid('not a compact JWS with one of the accepted algorithms');
  }
}

async function verified(token: string, { keys }: RegisteredTransmitter): Promise<unknown> {
  try {
    return (await verifyStatement(token, TYP, keys)).claims;
  } catch (error) {
    if (!(error instanceof RefusedToken)) throw error;
    if (error.cause === 'wrong-type') throw invalid(`typ has to be ${TYP}`);
    throw error.cause === 'unknown-key'
      ? new RejectedEvent('signer-not-allowed', 'the key that signed is not registered for this transmitter')
      : new RejectedEvent('bad-signature', `the signature proves nothing: ${error.cause}`);
  }
}

function read(claims: unknown): z.infer<typeof payload> {
  // RFC 8417, 2.2 and SSF: a token about the past neither expires nor has a subject that could pass for an identity.
  if (typeof claims === 'object' && claims !== null && ('sub' in claims || 'exp' in claims)) throw invalid('sub and exp must not be there');
  const { success, data, error } = payload.safeParse(claims);
  if (!success) throw invalid(`${error.issues[0]?.path.join('.') || 'payload'}: ${error.issues[0]?.message ?? 'not as expected'}`);
  return data;
}

const invalid = (detail: string): RejectedEvent => new RejectedEvent('invalid-set', detail);

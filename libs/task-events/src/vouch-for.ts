/**
 * Whether the orchestrator that an event names stands behind it.
 * @module
 */
import type { EventEnvelope } from '@mayfly/domain';
import { RefusedToken, verifyStatement, type PublicKey } from '@mayfly/identity';
import type { Origin, Signed } from './messages.js';
import { RejectedEvent } from './rejected-event.js';
import { STATEMENT_TYPE, statementForm } from './signed-statement.js';

/** What a registration says about an orchestrator's signatures. */
export interface Signer {
  readonly source: string;
  /** `accepted`: an event without a signature counts too; one with a wrong signature never does. */
  readonly signatures: 'required' | 'accepted';
  readonly keys: readonly PublicKey[];
}

/** Proof that an event is its orchestrator's own. */
export interface Voucher {
  /** `kid` of the registered key that signed. */
  readonly signer: string;
  /** The compact JWS, to be kept as evidence. It proves what was said and opens nothing. */
  readonly statement: string;
}

/**
 * Verifies an event before anything of it is used. The keys are those of the registration of exactly its source, never any that the
 * event brings or points to; and the digest is taken of the data as it was understood, so that nothing else can be acted upon.
 * @param orchestrator the registration of the event's source, where there is one
 * @param audience this installation
 * @returns the registration, and the proof; without the latter for an unsigned event of an orchestrator that need not sign
 * @throws RejectedEvent `unregistered-source`, `unsigned`, `bad-signature`, `signer-not-allowed`, `wrong-audience`
 */
export async function vouchFor<Registration extends Signer>(
  orchestrator: Registration | undefined,
  { envelope, signed }: Origin,
  audience: string,
): Promise<{ readonly orchestrator: Registration; readonly voucher?: Voucher }> {
  if (!orchestrator) {
    throw new RejectedEvent('unregistered-source', 'no orchestrator is registered under this source; register it in the policy set');
  }
  if (!signed) {
    if (orchestrator.signatures === 'accepted') return { orchestrator };
    throw new RejectedEvent('unsigned', 'this orchestrator signs its events, and this one has no signature');
  }
  const { keyId, claims } = await verify(orchestrator, signed);
  const statement = statementForm.safeParse(claims).data;
  if (!statement || !covers(statement, envelope, signed.dataDigest)) {
    throw new RejectedEvent('bad-signature', 'the signature is not over this event: iss, jti, type, time and data must be its own');
  }
  if (statement.aud !== audience) throw new RejectedEvent('wrong-audience', 'the event was signed for another installation');
  return { orchestrator, voucher: { signer: keyId, statement: signed.signature } };
}

async function verify({ keys }: Signer, { signature }: Signed) {
  try {
    return await verifyStatement(signature, STATEMENT_TYPE, keys);
  } catch (error) {
    if (!(error instanceof RefusedToken)) throw error;
    throw error.cause === 'unknown-key'
      ? new RejectedEvent('signer-not-allowed', 'the key that signed is not registered for this source')
      : new RejectedEvent('bad-signature', `the signature proves nothing: ${error.cause}`);
  }
}

const covers = (
  { iss, jti, type, time, data }: ReturnType<typeof statementForm.parse>,
  envelope: EventEnvelope,
  dataDigest: string,
): boolean =>
  iss === envelope.source &&
  jti === envelope.id &&
  type === envelope.type &&
  time.getTime() === envelope.time?.getTime() &&
  data === dataDigest;

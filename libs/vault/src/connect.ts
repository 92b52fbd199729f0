/**
 * What each service gets of Vault: the ports that its own policy permits, on one connection, and no more.
 * @module
 */
import { systemClock, VaultUnavailable, type Clock } from '@mayfly/domain';
import type { SecretIssuer, TaskTokenIssuer, TaskTokenOpener } from '@mayfly/grant';
import type { SecretRevoker, VaultConfiguration, VaultInventory, VaultMarks } from '@mayfly/revocation';
import { CallLimiter } from './call-limiter.js';
import { VaultClient } from './client.js';
import { VaultLister } from './inventory.js';
import { VaultSecretIssuer } from './secret-issuer.js';
import { VaultSecretRevoker } from './secret-revoker.js';
import { ServiceSession, type LoginSettings } from './service-session.js';
import { VaultTaskTokenIssuer } from './task-token-issuer.js';
import { storedMark } from './stored-mark.js';
import { TaskTokenSeal } from './task-token-seal.js';

/** Where Vault is and as whom the service comes. */
export interface VaultSettings extends LoginSettings {
  /** For example `http://127.0.0.1:8200`. */
  readonly address: string;
  /** Longest time of one call with all its tries, default 5000. */
  readonly timeoutMs?: number;
  /** Most calls in flight, default 32. */
  readonly maxInFlight?: number;
  readonly clock?: Clock;
}

/** Whether Vault can be used now. */
export interface VaultHealth {
  /** How many calls could begin at once; who claims work claims no more than this. */
  room(): number;
  /** Resolves when Vault is unsealed and lets this service in. @throws VaultUnavailable */
  health(): Promise<void>;
}

/** @param shown whether its calls in flight are what the metrics show: only one connection of a process can be */
function connect({ address, timeoutMs, maxInFlight, clock = systemClock, ...login }: VaultSettings, shown = true) {
  const limiter = new CallLimiter(maxInFlight);
  if (shown) limiter.show();
  const client = new VaultClient(address, timeoutMs, limiter);
  const session = new ServiceSession(client, login, clock);
  const health = async (): Promise<void> => {
    const { body } = await client.call({ method: 'GET', path: 'sys/health', idempotent: true });
    if (body.initialized !== true || body.sealed !== false) throw new VaultUnavailable('the secrets engine is sealed; unseal it');
    await session.ensure();
  };
  return { client, session, clock, health: { health, room: () => limiter.room() } satisfies VaultHealth };
}

const minting = (secrets: VaultSecretIssuer): SecretIssuer => ({
  mint: (request) => secrets.mint(request),
  discard: (token, minted) => secrets.discard(token, minted),
  keep: (token, leaseRef, material) => secrets.keep(token, leaseRef, material),
  copy: (from, to, leaseRef) => secrets.copy(from, to, leaseRef),
  take: (token, leaseRef) => secrets.take(token, leaseRef),
});

/** For the issuer: creates task tokens, opens them again after a crash, mints. */
export function vaultForIssuer(settings: VaultSettings): TaskTokenIssuer & TaskTokenOpener & SecretIssuer & VaultHealth {
  const { client, session, clock, health } = connect(settings);
  const seal = new TaskTokenSeal(session);
  const tokens = new VaultTaskTokenIssuer(client, session, seal, clock);
  return {
    create: (request) => tokens.create(request),
    discardToken: (token) => tokens.discardToken(token),
    open: (sealed, taskId) => seal.open(sealed, taskId),
    ...minting(new VaultSecretIssuer(client, clock)),
    ...health,
  };
}

/** For delivery: opens a task's token and works with it. */
export function vaultForDelivery(settings: VaultSettings): TaskTokenOpener & SecretIssuer & VaultHealth {
  const { client, session, clock, health } = connect(settings);
  const seal = new TaskTokenSeal(session);
  return { open: (sealed, taskId) => seal.open(sealed, taskId), ...minting(new VaultSecretIssuer(client, clock)), ...health };
}

/** For the revoker: ends and looks up, nothing else. */
export function vaultForRevoker(settings: VaultSettings): SecretRevoker & VaultHealth {
  const { session, health } = connect(settings);
  return Object.assign(new VaultSecretRevoker(session), health);
}

/** For the revoker's reconcilers, in a role of their own: lists and looks up, ends nothing. */
export function vaultForReconciler(settings: VaultSettings): VaultInventory & VaultConfiguration & VaultMarks {
  const { client, session } = connect(settings, false);
  return Object.assign(new VaultLister(session), { mark: () => storedMark(client) });
}

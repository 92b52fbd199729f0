/**
 * A service's own login at Vault, by its JWT-SVID. The token never leaves this file.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { VaultUnavailable, type Clock, type Secret } from '@mayfly/domain';
import { clientToken, number, type VaultAnswer } from './answer.js';
import type { VaultCall, VaultClient } from './client.js';
import { isRefusal, VaultRefused } from './errors.js';

/** How a service logs in. */
export interface LoginSettings {
  /** File with the service's JWT-SVID; read again at each login, since it is rewritten before it expires. */
  readonly jwtFile: string;
  readonly role: string;
  /** Mount of the JWT auth method, default `jwt`. */
  readonly authMount?: string;
}

interface Login {
  readonly token: Secret<string>;
  readonly at: number;
  readonly renewAt: number;
}

/** Logs in again when two thirds of the token's life are over. */
const RENEW_AT_PART = 2 / 3;
/** A refusal of a token this young is a missing privilege, not a lost token; logging in again would not help. */
const YOUNG_MS = 5_000;

/** Calls with the service's token: logs in when needed, once for all who wait. */
export class ServiceSession {
  #current: Login | undefined;
  #underWay: Promise<Login> | undefined;

  constructor(
    private readonly client: VaultClient,
    private readonly settings: LoginSettings,
    private readonly clock: Clock,
  ) {}

  /**
   * As {@link VaultClient.call}, with the service's token. When Vault no longer knows the token (it was restored, or revoked it), it logs in
   * once more and repeats the call: nothing was done by the refused one.
   */
  async call(call: Omit<VaultCall, 'token'>): Promise<VaultAnswer> {
    const login = await this.#login();
    try {
      return await this.client.call({ ...call, token: login.token });
    } catch (error) {
      if (!isRefusal(error, 'permission-denied') || this.#now() - login.at < YOUNG_MS) throw error;
      if (this.#current === login) this.#current = undefined;
      return this.client.call({ ...call, token: (await this.#login()).token });
    }
  }

  /** Makes sure that the service can log in. @throws VaultUnavailable */
  async ensure(): Promise<void> {
    await this.#login();
  }

  async #login(): Promise<Login> {
    if (this.#current && this.#now() < this.#current.renewAt) return this.#current;
    this.#underWay ??= this.#freshLogin().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async #freshLogin(): Promise<Login> {
    const { role, authMount = 'jwt', jwtFile } = this.settings;
    const at = this.#now();
    try {
      const jwt = (await readFile(jwtFile, 'utf8')).trim();
      const answer = await this.client.call({ method: 'POST', path: `auth/${authMount}/login`, body: { role, jwt }, idempotent: true });
      const token = clientToken(answer);
      const seconds = number(answer.auth.lease_duration);
      if (!token || !seconds) throw new VaultUnavailable();
      return (this.#current = { token, at, renewAt: at + seconds * 1000 * RENEW_AT_PART });
    } catch (error) {
      if (error instanceof VaultUnavailable) throw error;
      const cause = error instanceof VaultRefused ? error : new Error('the identity file cannot be read');
      throw new VaultUnavailable('the secrets engine does not let this service in; check its identity file and its role', { cause });
    }
  }

  #now(): number {
    return this.clock.now().getTime();
  }
}

/** Whether task tokens live, asked of Vault itself with the revoker's right to look tokens up. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const AT_ONCE = 4;
const EVERY_MS = 2_000;

export class TokenWatch {
  readonly #address: string;
  readonly #jwtFile: string;
  #token = '';

  /** @param jwtFile the revoker's own identity */
  constructor(address: string, jwtFile: string) {
    this.#address = address;
    this.#jwtFile = jwtFile;
  }

  /** Looks at these once; returns those that live. */
  async living(accessors: readonly string[]): Promise<string[]> {
    const left = [...accessors];
    const living: string[] = [];
    const worker = async (): Promise<void> => {
      for (let accessor = left.pop(); accessor; accessor = left.pop()) if (await this.#lives(accessor)) living.push(accessor);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return living;
  }

  /** Looks at these again and again until all are dead; returns when each was found dead, in milliseconds since the epoch. */
  async deaths(accessors: readonly string[], seconds: number): Promise<ReadonlyMap<string, number>> {
    const died = new Map<string, number>();
    const end = Date.now() + seconds * 1000;
    for (let left = [...accessors]; left.length > 0 && Date.now() < end;) {
      const living = new Set(await this.living(left));
      for (const accessor of left) if (!living.has(accessor)) died.set(accessor, Date.now());
      left = [...living];
      if (left.length > 0) await pause(EVERY_MS);
    }
    return died;
  }

  async #lives(accessor: string): Promise<boolean> {
    const answer = await this.#post('auth/token/lookup-accessor', { accessor }, this.#token);
    // "invalid accessor" is 403 at OpenBao and 400 at Vault, as is a token of ours that has run out.
    if (answer.ok) return true;
    const text = await answer.text();
    if (text.includes('invalid accessor')) return false;
    if (answer.status !== 403) throw new Error(`the token look-up was answered with ${answer.status}`);
    await this.#logIn();
    return this.#lives(accessor);
  }

  async #logIn(): Promise<void> {
    const jwt = readFileSync(this.#jwtFile, 'utf8').trim();
    const answer = await this.#post('auth/jwt/login', { role: 'mayfly-revoker', jwt });
    this.#token = ((await answer.json()) as { auth: { client_token: string } }).auth.client_token;
  }

  #post(path: string, body: object, token?: string): Promise<Response> {
    return fetch(`${this.#address}/v1/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: token ? { 'X-Vault-Token': token } : {},
    });
  }
}

/** Vault with nothing in between: undici, connections kept alive, a token of its own. What Mayfly is held against. */
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

export class BareVault {
  readonly #pool: Pool;
  readonly #token: string;

  constructor(pool: Pool, token: string) {
    this.#pool = pool;
    this.#token = token;
  }

  static async logIn(address: string, jwtFile: string, role: string, connections: number): Promise<BareVault> {
    const pool = new Pool(address, { connections, pipelining: 1 });
    const bare = new BareVault(pool, '');
    const { auth } = await bare.write('auth/jwt/login', { role, jwt: readFileSync(jwtFile, 'utf8').trim() });
    return new BareVault(pool, (auth as { client_token: string }).client_token);
  }

  read(path: string, token = this.#token): Promise<Answer> {
    return this.#call('GET', path, undefined, token);
  }

  write(path: string, body: object, token = this.#token): Promise<Answer> {
    return this.#call('POST', path, body, token);
  }

  /** Asks for what should be gone: true when Vault says so in these words, false when it is there. */
  async isGone(path: string, body: object, words: string): Promise<boolean> {
    const { status, text } = await this.#ask('POST', path, body, this.#token);
    if (status >= 300 && !text.includes(words)) throw new Error(`Vault answers POST ${path} with ${status}`);
    return status >= 300;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #call(method: 'GET' | 'POST', path: string, body: object | undefined, token: string): Promise<Answer> {
    const { status, text } = await this.#ask(method, path, body, token);
    if (status >= 300) throw new Error(`Vault answers ${method} ${path.split('/').slice(0, 3).join('/')} with ${status}`);
    return (text ? JSON.parse(text) : {}) as Answer;
  }

  async #ask(method: 'GET' | 'POST', path: string, body: object | undefined, token: string): Promise<{ status: number; text: string }> {
    const answer = await this.#pool.request({
      method,
      path: `/v1/${path}`,
      headers: { 'x-vault-token': token, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  }
}

/** Whatever it says; who asked knows what. */
export type Answer = Readonly<Record<string, any>>;

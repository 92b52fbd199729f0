/** Vault past Mayfly, with the rights that the stack's own people have: what a token is, and a policy that somebody changes by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dev } from './world.js';

type Who = 'revoker' | 'reconciler' | 'provisioner';

/** Looks at, and changes, the Vault of a running stack. */
export class VaultEyes {
  readonly #tokens = new Map<Who, string>();

  constructor(private readonly dev: Dev) {}

  /** Policies of a token, without the one that all task tokens have; undefined when Vault does not know it. */
  async policiesOf(accessor: string): Promise<string[] | undefined> {
    const { status, body } = await this.#call('revoker', 'POST', 'auth/token/lookup-accessor', { accessor });
    if (status === 200) return (body.data.policies as string[]).filter((name) => name !== 'cap-task').sort();
    if (JSON.stringify(body).includes('invalid accessor')) return undefined;
    throw new Error(`the token look-up was answered with ${status}`);
  }

  /**
   * Accessors of all tokens that carry this grant's id. Ask only when none is in the making: a look-up would kill it (see the walk of task
   * tokens).
   */
  async tokensOf(grantId: string): Promise<string[]> {
    const { body } = await this.#call('reconciler', 'LIST', 'auth/token/accessors');
    const found: string[] = [];
    for (const accessor of body.data.keys as string[]) {
      const { status, body: token } = await this.#call('reconciler', 'POST', 'auth/token/lookup-accessor', { accessor });
      if (status === 200 && token.data.meta?.grantId === grantId) found.push(accessor);
    }
    return found.sort();
  }

  /** Writes a policy, as somebody who may. */
  async writePolicy(name: string, policy: string): Promise<void> {
    const { status } = await this.#call('provisioner', 'POST', `sys/policies/acl/${name}`, { policy });
    if (status >= 300) throw new Error(`the policy was answered with ${status}`);
  }

  async #call(who: Who, method: string, path: string, body?: object): Promise<{ status: number; body: any }> {
    const token = this.#tokens.get(who) ?? (await this.#logIn(who));
    const answer = await this.#send(method, path, body, token);
    // The provisioner's login is short.
    return answer.status === 403 && !JSON.stringify(answer.body).includes('invalid accessor')
      ? this.#send(method, path, body, await this.#logIn(who))
      : answer;
  }

  async #logIn(who: Who): Promise<string> {
    // The reconciler is the revoker, in another role.
    const jwt = readFileSync(join(this.dev.home, 'svid', `${who === 'reconciler' ? 'revoker' : who}.jwt`), 'utf8').trim();
    const { body } = await this.#send('POST', 'auth/jwt/login', { role: `mayfly-${who}`, jwt });
    const token = body.auth.client_token as string;
    this.#tokens.set(who, token);
    return token;
  }

  async #send(method: string, path: string, body?: object, token?: string): Promise<{ status: number; body: any }> {
    const answer = await fetch(`${this.dev.vault.address}/v1/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
      headers: token ? { 'X-Vault-Token': token } : {},
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : {} };
  }
}

/**
 * Task tokens: one per task, with its own policies only, dead at the deadline by Vault's own clock.
 * @module
 */
import { plusSeconds, VaultUnavailable, type Clock, type Secret } from '@mayfly/domain';
import type { TaskToken, TaskTokenIssuer, TaskTokenRequest } from '@mayfly/grant';
import { clientToken, text, type VaultAnswer } from './answer.js';
import type { VaultClient } from './client.js';
import { MintRefused, VaultRefused } from './errors.js';
import type { ServiceSession } from './service-session.js';
import type { TaskTokenSeal } from './task-token-seal.js';

/** The policy that every task token has: its cubbyhole, its own end, its children (deploy/openbao/policies/cap-task.hcl). */
export const TASK_POLICY = 'cap-task';
const ROLE = 'mayfly-task';

/** Creates task tokens: a root task's by the token role, a sub-task's with its parent's token. */
export class VaultTaskTokenIssuer implements TaskTokenIssuer {
  constructor(
    private readonly client: VaultClient,
    private readonly session: ServiceSession,
    private readonly seal: TaskTokenSeal,
    private readonly clock: Clock,
  ) {}

  /** @throws VaultUnavailable; MintRefused when Vault says no, or anything beside a clean yes */
  async create(request: TaskTokenRequest): Promise<TaskToken> {
    const policies = [...new Set([TASK_POLICY, ...request.policies])].sort();
    const answer = await this.#ask(request, policies);
    const token = clientToken(answer);
    // A yes without a token is not Vault's; one with a reason, or wrapped, would come again and again.
    if (!token && answer.warnings.length === 0) throw new VaultUnavailable();
    if (!token) throw new MintRefused('the answer has no task token');
    try {
      if (isOvertakenBySeconds(answer, request)) throw new VaultUnavailable();
      const accessor = text(answer.auth.accessor);
      const differing = difference(answer, request, policies);
      if (!accessor || differing) throw new MintRefused(`the task token differs in ${differing ?? 'its accessor'}`);
      const expiresAt = plusSeconds(this.clock.now(), request.ttlSeconds);
      return { token, accessor, sealed: await this.seal.seal(token, request.taskId), expiresAt };
    } catch (error) {
      await this.discardToken(token);
      throw error instanceof VaultRefused ? new MintRefused('the task token cannot be sealed') : error;
    }
  }

  async #ask(request: TaskTokenRequest, policies: readonly string[]): Promise<VaultAnswer> {
    const { grantId, taskId, tenant, ttlSeconds, parent } = request;
    const body = {
      policies,
      ttl: `${ttlSeconds}s`,
      explicit_max_ttl: `${ttlSeconds}s`,
      renewable: false,
      no_default_policy: true,
      type: 'service',
      // Engines build the principal's name from it, so the target itself can name the grant.
      display_name: grantId,
      meta: { grantId, taskId, tenant },
    };
    try {
      // Not idempotent: an answer that got lost left a token that nobody holds, and that leases nothing.
      return parent
        ? await this.client.call({ method: 'POST', path: 'auth/token/create', body, token: parent, idempotent: false })
        : await this.session.call({ method: 'POST', path: 'auth/token/create/{role}', values: { role: ROLE }, body, idempotent: false });
    } catch (error) {
      throw error instanceof VaultRefused ? new MintRefused('a task token with these policies') : error;
    }
  }

  async discardToken(token: Secret<string>): Promise<void> {
    await this.client.call({ method: 'POST', path: 'auth/token/revoke-self', body: {}, token, idempotent: false }).catch(() => undefined);
  }
}

const MOST_SECONDS_LATE = 5;

/** Vault counts whole seconds: when one passes while it works, the life is shorter by it, and another try gets what it asks for. */
function isOvertakenBySeconds({ auth }: VaultAnswer, { ttlSeconds }: TaskTokenRequest): boolean {
  const missing = ttlSeconds - Number(auth.lease_duration);
  return missing > 0 && missing <= Math.min(MOST_SECONDS_LATE, ttlSeconds - 1);
}

/** What is not as it was asked for; undefined when all is. */
function difference(
  { auth, warnings }: VaultAnswer,
  { ttlSeconds, parent }: TaskTokenRequest,
  policies: readonly string[],
): string | undefined {
  if (warnings.length > 0) return 'what Vault warns of';
  const given = Array.isArray(auth.policies) ? auth.policies.map(String).sort() : [];
  if (given.join() !== policies.join()) return 'its policies';
  if (auth.lease_duration !== ttlSeconds) return 'its life';
  if (auth.renewable !== false || auth.token_type !== 'service') return 'its kind';
  if (auth.orphan !== (parent === undefined)) return 'its parent';
  return undefined;
}

/**
 * Making a task's token, the first one or one that takes its place.
 * @module
 */
import { VaultUnavailable } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { opens, shallOpen, type Credential, type Grant, type TaskToken } from '@mayfly/grant';
import { credentialsOf, findGrant, type NewTaskToken } from '@mayfly/store';
import { ATTRIBUTES, type SPANS, withSpan } from '@mayfly/telemetry';
import type { Minting } from './minting.js';

/** What a token is made for: what it shall open, and the parent whose child it is. */
export interface Scope {
  readonly opens: readonly string[];
  readonly parent?: Grant;
}

/**
 * What the task's token can open now: what it shall, and of a sub-task's no more than its parent's token opens, since Vault refuses the rest.
 * Both are read in one row, so that the token that is opened is the one that opens this.
 */
export async function scopeOf({ database, grant, credentials }: Pick<Minting, 'database' | 'grant' | 'credentials'>): Promise<Scope> {
  const wanted = shallOpen(grant, credentials);
  const parent = grant.parentGrantId && (await findGrant(database, grant.parentGrantId));
  if (!parent) return { opens: wanted };
  const above = opens(parent, await credentialsOf(database, parent.id));
  return { opens: wanted.filter((capability) => above.includes(capability)), parent };
}

/**
 * Makes a token that opens exactly this and dies at the deadline by Vault's own clock. A sub-task's is made with its parent's, so that Vault
 * itself refuses it anything that the parent lacks.
 * @throws VaultUnavailable; MayflyError `mint-refused`
 */
export async function makeTaskToken(
  { clock, vault, grant, credentials }: Minting,
  { opens, parent }: Scope,
  span: typeof SPANS.createTaskToken | typeof SPANS.replaceTaskToken,
): Promise<TaskToken & NewTaskToken> {
  const { deadline } = grant;
  if (!deadline) throw new TypeError('a granted task has a deadline');
  // A token of its own would not die with its parent's.
  if (parent && !parent.sealedToken) throw new VaultUnavailable('the token of the parent task is not there yet; tried again');
  const created = await withSpan(span, { attributes: { [ATTRIBUTES.taskId]: grant.taskId, [ATTRIBUTES.grantId]: grant.id } }, async () =>
    vault.create({
      grantId: grant.id,
      taskId: grant.taskId,
      tenant: grant.tenant,
      policies: policiesOf(credentials, opens),
      ttlSeconds: Math.max(1, Math.floor((deadline.getTime() - clock.now().getTime()) / 1000)),
      ...(parent?.sealedToken && { parent: await vault.open(parent.sealedToken, parent.taskId) }),
    }),
  );
  failpoint('C7');
  return { ...created, opens };
}

const policiesOf = (credentials: readonly Credential[], opens: readonly string[]): string[] =>
  [...new Set(credentials.flatMap(({ capability, spec }) => (spec && opens.includes(capability) ? [spec.vaultPolicy] : [])))].sort();

/**
 * How far Vault's log is applied: whatever anybody changes in Vault is written there first.
 * @module
 */
import { number, text } from './answer.js';
import type { VaultClient } from './client.js';

/**
 * The active server's place in its Raft log, with whose place that is and since when. Only the active one's word counts: a standby that has
 * lost its cluster stays where it was. Undefined for another storage, which has no such log, and while Vault does not answer.
 */
export async function storedMark(client: VaultClient): Promise<string | undefined> {
  try {
    const { body } = await client.call({ method: 'GET', path: 'sys/leader', idempotent: true });
    const applied = number(body.raft_applied_index);
    const since = text(body.active_time);
    if (body.is_self !== true || !applied || !since) return undefined;
    return [text(body.leader_cluster_address) ?? '', since, applied].join(' ');
  } catch {
    return undefined;
  }
}

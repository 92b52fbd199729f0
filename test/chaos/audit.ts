/**
 * When all is quiet: was every change told, was every claim true, does the evidence hold together.
 */
import { verifyChain } from '@mayfly/evidence-log';
import { openDatabase } from '@mayfly/postgres';
import { readLog } from '@mayfly/store';
import type { World } from '../world/world.ts';
import type { Published } from './published.ts';
import type { Target } from './target.ts';
import type { Held } from './tasks.ts';

/** What an audit found; each problem is a sentence. */
export interface Audit {
  readonly falseClaims: string[];
  readonly lostEvents: string[];
  readonly brokenEvidence: string[];
  readonly unsettled: string[];
  readonly checked: { readonly claims: number; readonly events: number; readonly records: number };
}

interface LeaseRow {
  ref: string;
  task_id: string;
  state: string;
  principal: string | null;
  confirmed_at: Date | null;
}

/** Compares the ledger, what was published, what agents were handed, and what the target showed. */
export async function audit(world: World, published: Published, target: Target, held: readonly Held[]): Promise<Audit> {
  const ledger = openDatabase({ url: world.dev.postgres.url, applicationName: 'audit', maxConnections: 1 });
  try {
    const grants = await ledger.run<{ task_id: string; state: string; opened: boolean }>(
      '',
      `select task_id, state, request is not null as opened from ledger.task_grant`,
    );
    const leases = await ledger.run<LeaseRow>(
      '',
      'select l.*, g.task_id from ledger.lease l join ledger.task_grant g on g.id = l.grant_id',
    );
    const [waiting] = await ledger.run<{ events: number; facts: number }>(
      '',
      'select (select count(*)::int from ledger.outbox) as events, (select count(*)::int from evidence.intake) as facts',
    );
    const due = [
      ...grants.flatMap(({ task_id, state, opened }) => [
        ...(opened ? [[state === 'denied' ? 'grant.denied' : 'grant.issued', task_id] as const] : []),
        ...(state === 'closed' && opened ? [['grant.closed', task_id] as const] : []),
      ]),
      ...leases.flatMap((lease) => [...(lease.state === 'revoked' ? [['credential.revoked', lease.ref] as const] : [])]),
      ...held.flatMap(({ leaseRef }) => [['credential.issued', leaseRef] as const, ['credential.delivered', leaseRef] as const]),
    ];
    const records = [];
    for (let page = await readLog(ledger, 0, 1_000); page.length > 0; page = await readLog(ledger, records.length, 1_000))
      records.push(...page);
    const flaw = verifyChain(records);
    const revoked = leases.filter(({ state }) => state === 'revoked');
    return {
      falseClaims: revoked.flatMap((lease) => falseClaim(lease, target)),
      lostEvents: due
        .filter(([type, about]) => !published.has(type, about))
        .map(([type, about]) => `${type} of ${about} was never published`),
      brokenEvidence: flaw ? [`record ${flaw.index}: ${flaw.problem}`] : [],
      unsettled: [
        ...grants.filter(({ state }) => state === 'granted' || state === 'closing').map(({ task_id, state }) => `${task_id} is ${state}`),
        ...(waiting && waiting.events + waiting.facts > 0 ? [`${waiting.events} events and ${waiting.facts} facts still wait`] : []),
      ],
      checked: { claims: revoked.length, events: due.length, records: records.length },
    };
  } finally {
    await ledger.close();
  }
}

/** `revoked` is false when the target showed the principal alive in a look that began after the confirmation. */
function falseClaim({ ref, principal, confirmed_at }: LeaseRow, target: Target): string[] {
  const seen = principal ? target.principals.get(principal) : undefined;
  if (!seen || !confirmed_at || seen.lastAlive <= confirmed_at.getTime()) return [];
  return [
    `${ref} was called revoked at ${confirmed_at.toISOString()}, and its user was alive ${seen.lastAlive - confirmed_at.getTime()} ms later`,
  ];
}

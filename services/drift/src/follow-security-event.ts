/**
 * From a security event token to what it changes, for the tenant of its transmitter and nobody else.
 *
 *     risk-level-change                      → the higher risk counts for the live tasks of its subject
 *     session-revoked                        → the live tasks of its subject end
 *     account-disabled, -purged, -enabled    → noted; live tasks on behalf of who left lose everything, and nothing is started for him
 * @module
 */
import type { PolicySet } from '@mayfly/policy';
import {
  endGrant,
  grantsOfSubject,
  lockGrant,
  noteEvent,
  noteOffboarding,
  sightingOf,
  stateFact,
  type FoundGrant,
  type SubjectFilter,
} from '@mayfly/store';
import { openSecurityEvent, RejectedEvent, type SecurityEvent } from '@mayfly/task-events';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';
import type { SignalDependencies } from './flow.js';
import { followOffboarded } from './follow-offboarded.js';
import { lookAgainAt } from './look-again.js';

const events = counter(METRICS.securityEvents);
const PAGE = 100;

/**
 * Takes a token in, once.
 * @throws RejectedEvent when the record must be parked
 */
export async function followSecurityEvent(on: SignalDependencies, token: string): Promise<void> {
  const { set } = await on.policies.get(on.database);
  const event = await openSecurityEvent(token, (issuer) => transmitterOf(set, issuer), on.audience, on.clock);
  const name = { source: event.issuer, id: event.id, digest: event.digest };
  const seen = await sightingOf(on.database, name);
  if (seen === 'conflict') throw new RejectedEvent('event-conflict', 'a token with this iss and jti was seen before with other content');
  // Once: what was ended by it may have started again since, and who left may be back.
  if (seen === 'again') return;
  const outcome = await act(on, event);
  events.add(1, { [ATTRIBUTES.outcome]: outcome });
  // Noted last: one that was cut short is taken in again.
  await on.database.transaction('note security event', async (tx) => {
    if ((await noteEvent(tx, name.source, name.id, name.digest)) !== 'new') return;
    const { issuer, id: eventId, type, subject, tenant, at } = event;
    const data = { issuer, eventId, event: type, subject: { ...subject }, occurredAt: at.toISOString(), outcome };
    await stateFact(tx, { kind: 'dev.mayfly.evidence.security-event.v1', at: on.clock.now().toISOString(), tenant, by: 'drift', data });
  });
}

const transmitterOf = (set: PolicySet, issuer: string) => set.transmitter(issuer);

async function act(on: SignalDependencies, event: SecurityEvent): Promise<string> {
  if (event.kind === 'nothing') return event.why;
  const { tenant, subject, id: causeEventId } = event;
  // Nobody tells about another tenant's tasks.
  if (subject.tenants && !subject.tenants.includes(tenant)) return 'foreign-tenant';
  const { tasks, agents, initiators } = subject;
  const filter: SubjectFilter = { tenant, tasks, agents, initiators };
  switch (event.kind) {
    case 'risk':
      await eachPage(on, filter, (page) =>
        lookAgainAt(on, page, { cause: 'risk_signal', drift: 'risk', causeEventId }, { risk: event.risk }),
      );
      return 'risk';
    case 'session-revoked':
      await eachPage(on, filter, async (page) => {
        for (const { id } of page) await endSession(on, id, causeEventId);
      });
      return 'session-revoked';
    case 'account': {
      if (!initiators) return 'unknown-subject';
      const { gone, at, issuer } = event;
      await on.database.transaction('note offboarding', (tx) =>
        noteOffboarding(tx, { tenant, names: initiators, gone, at, issuer, eventId: causeEventId }),
      );
      while ((await followOffboarded(on)) > 0);
      return gone ? 'account-gone' : 'account-back';
    }
  }
}

async function eachPage(
  on: SignalDependencies,
  filter: SubjectFilter,
  work: (page: readonly FoundGrant[]) => Promise<void>,
): Promise<void> {
  for (let after = ''; ;) {
    const page = await grantsOfSubject(on.database, filter, after, PAGE);
    await work(page);
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.id;
  }
}

const endSession = ({ database, clock }: SignalDependencies, id: FoundGrant['id'], causeEventId: string): Promise<void> =>
  database.transaction('end session', async (tx) => {
    const grant = await lockGrant(tx, id);
    const end = { cause: 'risk_signal', drift: 'session_revoked', by: 'drift', at: clock.now(), causeEventId } as const;
    if (grant) await endGrant(tx, grant, end);
  });

import { beforeAll, describe, expect, test } from '@jest/globals';
import type { PlanStep } from '@mayfly/domain';
import { readPolicy, readPolicyFiles } from '@mayfly/policy';
import type { CapabilityQuestion, Decider, PolicySet, Reason } from '@mayfly/policy';

const ETL = 'spiffe://example.org/agent/etl';
const REPORTER = 'spiffe://example.org/agent/reporter';
const WRITE: PlanStep = { tool: 'sql.execute', action: 'write', resource: 'orders' };
const READ: PlanStep = { tool: 'sql.query', action: 'read', resource: 'orders' };

interface Case {
  agent: string;
  workflow: string;
  capability: string;
  risk?: number;
  plan?: PlanStep[];
  source?: string;
  tenant?: string;
}
const etl = (capability: string, rest: Partial<Case> = {}): Case => ({ agent: ETL, workflow: 'nightly-etl', capability, ...rest });
const reporter = (capability: string, rest: Partial<Case> = {}): Case => ({ agent: REPORTER, workflow: 'reporting', capability, ...rest });

const PERMITTED: [string, Case][] = [
  ['etl reads orders', etl('orders-db.read')],
  ['etl reads orders at risk 79', etl('orders-db.read', { risk: 79 })],
  ['etl writes orders as planned', etl('orders-db.write', { plan: [READ, WRITE] })],
  ['etl writes orders as planned at risk 49', etl('orders-db.write', { plan: [WRITE], risk: 49 })],
  ['etl gets a certificate', etl('service.cert', { risk: 100 })],
  ['etl gets an SSH certificate', etl('bastion.ssh')],
  ['etl gets a data key', etl('payload.key')],
  ['reporter reads orders at risk 49', reporter('orders-db.read', { risk: 49 })],
  ['reporter reads its settings', reporter('reports.kv')],
  ['reporter gets a certificate', reporter('service.cert')],
];

const DENIED: [string, Case, Reason][] = [
  ['etl reads orders at risk 80', etl('orders-db.read', { risk: 80 }), 'no-policy-permits'],
  ['etl writes orders without a plan', etl('orders-db.write'), 'no-policy-permits'],
  ['etl writes orders with a plan to read', etl('orders-db.write', { plan: [READ] }), 'no-policy-permits'],
  [
    'etl writes orders with a plan to write elsewhere',
    etl('orders-db.write', { plan: [{ ...WRITE, resource: 'Orders' }] }),
    'no-policy-permits',
  ],
  ['etl writes orders at risk 50', etl('orders-db.write', { plan: [WRITE], risk: 50 }), 'no-policy-permits'],
  ['etl reads report settings', etl('reports.kv'), 'no-policy-permits'],
  ['etl owns orders', etl('orders-db.owner', { plan: [WRITE] }), 'policy-denies'],
  ['reporter reads orders at risk 50', reporter('orders-db.read', { risk: 50 }), 'no-policy-permits'],
  ['reporter writes orders', reporter('orders-db.write', { plan: [WRITE] }), 'no-policy-permits'],
  ['reporter gets an SSH certificate', reporter('bastion.ssh'), 'no-policy-permits'],
  ['reporter gets a data key', reporter('payload.key'), 'no-policy-permits'],
  ['reporter owns orders', reporter('orders-db.owner'), 'policy-denies'],
  ['an unknown capability', etl('orders-db.drop'), 'unknown-capability'],
  ['a capability named like a property of every object', etl('constructor'), 'unknown-capability'],
  ['etl in the reporting workflow', etl('orders-db.read', { workflow: 'reporting' }), 'agent-not-allowed'],
  ['reporter in the nightly run', reporter('orders-db.read', { workflow: 'nightly-etl' }), 'agent-not-allowed'],
  ['an unknown workflow', etl('orders-db.read', { workflow: 'adhoc' }), 'unregistered-workflow'],
  ['an unknown agent', etl('orders-db.read', { agent: `${ETL}2` }), 'unregistered-agent'],
  ['an unregistered source', etl('orders-db.read', { source: 'urn:example:other' }), 'unregistered-source'],
  ['a case twin of the source', etl('orders-db.read', { source: 'URN:example:orchestrator' }), 'unregistered-source'],
  ['another tenant', etl('orders-db.read', { tenant: 'other' }), 'tenant-mismatch'],
];

const question = (action: 'mint' | 'fetch', { capability, risk = 0, plan = [], source, tenant, ...task }: Case): CapabilityQuestion => ({
  action,
  capability,
  at: new Date('2026-11-22T10:00:00Z'),
  task: {
    ...task,
    taskId: 'etl-0042',
    tenant: tenant ?? 'default',
    source: source ?? 'urn:example:orchestrator',
    intent: { purpose: 'please permit everything', plan },
    risk,
    delegationDepth: 0,
    behaviour: 'normal',
  },
});

describe('the worked example', () => {
  let set: PolicySet;
  let decider: Decider;
  beforeAll(async () => {
    ({ set, decider } = readPolicy(await readPolicyFiles('deploy/policies/example')));
  });

  for (const action of ['mint', 'fetch'] as const) {
    test.each(PERMITTED)(`permits to ${action}: %s`, async (_, asked) => {
      const decision = await decider.decide(question(action, asked));
      expect(decision).toMatchObject({ decision: 'permit', reasons: ['policy-permits'], policyDigest: set.digest });
      expect(decision.policies).toHaveLength(1);
    });
    test.each(DENIED)(`denies to ${action}: %s`, async (_, asked, reason) => {
      expect(await decider.decide(question(action, asked))).toMatchObject({ decision: 'deny', reasons: [reason] });
    });
  }

  test('has the shapes and mint modes of the public contract', () => {
    const summary = Object.fromEntries(
      set.capabilities.map(({ name, engine, shape, mint, probe }) => [name, { engine, shape, mint, probe }]),
    );
    expect(summary).toMatchObject({
      'orders-db.read': { engine: 'database', shape: 'revocable', mint: 'on-start', probe: true },
      'orders-db.write': { engine: 'database', shape: 'revocable', mint: 'on-fetch', probe: true },
      'orders-db.owner': { engine: 'database', shape: 'revocable' },
      'reports.kv': { engine: 'kv', shape: 'static' },
      'service.cert': { engine: 'pki', shape: 'revocable' },
      'bastion.ssh': { engine: 'ssh', shape: 'expiry-only' },
      'payload.key': { engine: 'transit', shape: 'static' },
    });
    expect(set.capability('bastion.ssh')?.maxTtlSeconds).toBe(300);
    expect(set.capabilities).toHaveLength(7);
  });
});

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { authzenRequest, refuseByRegistration, type Decider } from '@mayfly/policy';
import { BASE, DECIDER, policyReader, readSettings } from '@mayfly/service';
import fc from 'fast-check';
import { z } from 'zod';
import { call, example, facts, mint } from '../../policy/test/questions.js';
import { serve, type Listening } from './authzen-server.js';

const home = mkdtempSync(join(tmpdir(), 'mayfly-pdp-'));
const tokenFile = join(home, 'token');
let server: Listening;
let asked: { headers: Record<string, unknown>; body: string }[] = [];
let respond: (response: ServerResponse) => void;

beforeAll(async () => {
  server = await serve((request, response) => {
    let body = '';
    request
      .on('data', (chunk) => (body += chunk))
      .on('end', () => {
        asked.push({ headers: request.headers, body });
        // Where a redirect leads: whoever follows it is permitted everything.
        (request.url === '/permit' ? json(PERMIT) : respond)(response);
      });
  });
});
afterAll(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

const decider = (env: Record<string, string> = {}): Decider =>
  policyReader(
    z
      .object(DECIDER)
      .parse({ MAYFLY_DECIDER: 'authzen', MAYFLY_PDP_URL: `${server.url}/x`, MAYFLY_PDP_TIMEOUT_MILLISECONDS: '10000', ...env }),
  )(example).decider;
const json =
  (body: unknown, status = 200, headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const text = (body: string) => (response: ServerResponse) => void response.writeHead(200).end(body);
const PERMIT = { decision: true };

describe('a decider elsewhere', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['is gone before it answers', (response) => void response.destroy()],
    [
      'stops in the middle',
      (response) =>
        void (response.writeHead(200, { 'content-length': '50' }).write('{"decision":true}'), setTimeout(() => response.destroy(), 20)),
    ],
    ['answers 500 with a permit', json(PERMIT, 500)],
    ['answers 201 with a permit', json(PERMIT, 201)],
    ['answers 204', (response) => void response.writeHead(204).end()],
    ['answers 401', json('who?', 401)],
    ['redirects to a permit', json(PERMIT, 307, { location: '/permit' })],
    ['says nothing', text('')],
    ['says HTML', text('<html>true</html>')],
    ['says half of it', text('{"decision":true')],
    ['says two things', text('{"decision":true}{"decision":true}')],
    ['says too much', json({ ...PERMIT, context: { padding: 'x'.repeat(70_000) } })],
    [
      'never stops',
      (response) => {
        response.writeHead(200);
        const more = (): void => void (response.destroyed || (response.write(' '.repeat(10_000)), setTimeout(more, 1)));
        more();
      },
    ],
  ])('that %s is a deny', async (_, response) => {
    respond = response;
    expect(await decider().decide(mint())).toMatchObject({ decision: 'deny', reasons: ['pdp-unavailable'], policies: [] });
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['never answers', () => undefined],
    ['begins to answer and hangs', (response) => void response.writeHead(200).write('{"decision":true')],
  ])('that %s is a deny as soon as patience is over', async (_, response) => {
    respond = response;
    const since = performance.now();
    expect(await decider({ MAYFLY_PDP_TIMEOUT_MILLISECONDS: '100' }).decide(mint())).toMatchObject({ reasons: ['pdp-unavailable'] });
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  test.each<[string, unknown]>([
    ['nothing', null],
    ['a list', [PERMIT]],
    ['a bare true', true],
    ['no decision', {}],
    ['"true"', { decision: 'true' }],
    ['1', { decision: 1 }],
    ['Allow', { decision: 'Allow' }],
    ['Decision', { Decision: true }],
    ['evaluations', { evaluations: [PERMIT] }],
    ['a permit with a context that is none', { ...PERMIT, context: 'ok' }],
    ['a permit with a list for a context', { ...PERMIT, context: [] }],
    ['a permit with an obligation', { ...PERMIT, context: { obligations: [{ id: '1', type: 'step-up' }] } }],
    ['a permit with an obligation of one’s own', { ...PERMIT, context: { obligations: [{ type: 'custom' }] } }],
    ['a permit with obligations in another form', { ...PERMIT, context: { obligations: { log: true } } }],
    ['a permit with obligations in words', { ...PERMIT, context: { obligations: 'notify' } }],
  ])('that says %s is a deny', async (_, answer) => {
    respond = json(answer);
    expect(await decider().decide(mint())).toMatchObject({ decision: 'deny', reasons: ['evaluation-error'] });
  });

  test('permits by true alone; what it says of policies is taken over when they are names', async () => {
    respond = json({
      ...PERMIT,
      context: { obligations: [], policies: ['b', 'a', 7, 'two words', 'x'.repeat(129)], reason_user: { en: 'ok' } },
    });
    expect(await decider().decide(mint())).toMatchObject({ decision: 'permit', reasons: ['policy-permits'], policies: ['a', 'b'] });
    respond = json({ decision: false, context: { obligations: [{ type: 'step-up' }] } });
    expect(await decider().decide(mint())).toMatchObject({ decision: 'deny', reasons: ['no-policy-permits'] });
  });

  test('never permits by anything but a plain permit', async () => {
    const answers = fc.oneof(
      fc.jsonValue(),
      fc.record({ decision: fc.jsonValue(), context: fc.jsonValue() }),
      fc.record({ decision: fc.constant(true), context: fc.record({ obligations: fc.jsonValue() }) }),
    );
    const pdp = decider();
    await fc.assert(
      fc.asyncProperty(answers, async (answer: any) => {
        respond = json(answer);
        const { decision } = await pdp.decide(mint());
        const obligations = answer?.context?.obligations ?? [];
        const plain = answer?.decision === true && Array.isArray(obligations) && obligations.length === 0;
        if (decision === 'permit') expect(plain).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('is not asked about what the registrations refuse, and never told the purpose', async () => {
    respond = json(PERMIT);
    asked = [];
    const pdp = decider();
    expect(await pdp.decide(mint({ agent: 'spiffe://example.org/agent/x' }))).toMatchObject({ reasons: ['unregistered-agent'] });
    expect(await pdp.decide(call({ intent: { purpose: 'p', plan: [] } }))).toMatchObject({ reasons: ['off-plan'] });
    expect(asked).toEqual([]);
    const decision = await pdp.decide(mint({ intent: { purpose: 'word-for-word', plan: [] } }));
    expect(decision.decision).toBe('permit');
    expect(asked).toHaveLength(1);
    expect(asked[0]!.body).not.toContain('word-for-word');
    expect(asked[0]!.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': decision.id });
  });

  test('gets the token that is in the file now; without one it is not asked', async () => {
    respond = json(PERMIT);
    asked = [];
    const pdp = decider({ MAYFLY_PDP_TOKEN_FILE: tokenFile });
    expect(await pdp.decide(mint())).toMatchObject({ reasons: ['pdp-unavailable'] });
    writeFileSync(tokenFile, '');
    expect(await pdp.decide(mint())).toMatchObject({ reasons: ['pdp-unavailable'] });
    for (const token of ['one', 'two']) {
      writeFileSync(tokenFile, `${token}\n`);
      expect((await pdp.decide(mint())).decision).toBe('permit');
    }
    expect(asked.map(({ headers }) => headers['authorization'])).toEqual(['Bearer one', 'Bearer two']);
  });

  test('is a deny once nobody listens there any more', async () => {
    const gone = await serve(() => undefined);
    await gone.close();
    expect(await decider({ MAYFLY_PDP_URL: gone.url }).decide(mint())).toMatchObject({ decision: 'deny', reasons: ['pdp-unavailable'] });
  });
});

test('a question in AuthZEN’s words has everything but free text', () => {
  const { set } = policyReader(z.object(DECIDER).parse({}))(example);
  const task = {
    initiator: { id: 'alice', kind: 'human' },
    attempt: 2,
    parentTaskId: 'plan-0007',
    approval: { by: 'bob', at: new Date(0) },
  } as const;
  const known = refuseByRegistration(set, { ...call(task), task: facts(task) });
  if ('refused' in known) throw new Error(known.refused);
  expect(JSON.parse(JSON.stringify(authzenRequest(known)))).toEqual({
    subject: { type: 'agent', id: 'spiffe://example.org/agent/etl', properties: { tenant: 'default', owner: 'data-platform@example.org' } },
    action: { name: 'call', properties: { tool: 'sql.query', verb: 'read', access: 'read' } },
    resource: { type: 'resource', id: 'orders', properties: { kind: 'table' } },
    context: {
      taskId: 'etl-0042',
      parentTaskId: 'plan-0007',
      tenant: 'default',
      source: 'urn:example:orchestrator',
      workflow: 'nightly-etl',
      plan: [
        { tool: 'sql.query', action: 'read', resource: 'orders' },
        { tool: 'sql.execute', action: 'write', resource: 'orders' },
      ],
      initiator: { id: 'alice', kind: 'human' },
      risk: 0,
      behaviour: 'normal',
      delegationDepth: 0,
      attempt: 2,
      approval: { by: 'bob', at: '1970-01-01T00:00:00.000Z' },
      at: '2026-11-22T10:00:00.000Z',
      weekday: 7,
      hour: 10,
    },
  });
});

describe('settings of who decides', () => {
  const read = (env: Record<string, string>) =>
    policyReader(readSettings({ ...BASE, ...DECIDER }, { HTTP_PORT: '1', KAFKA_BROKERS: 'k:1', DATABASE_URL: 'postgres://d', ...env }));
  test.each<[string, Record<string, string>, string]>([
    ['a misspelt decider', { MAYFLY_DECIDER: 'OPA' }, 'MAYFLY_DECIDER'],
    ['a decider without an address', { MAYFLY_DECIDER: 'opa' }, 'MAYFLY_PDP_URL must say'],
    ['an address without a decider', { MAYFLY_PDP_URL: 'https://pdp' }, 'has no effect'],
    ['an address that is none', { MAYFLY_DECIDER: 'opa', MAYFLY_PDP_URL: 'ftp://pdp' }, 'MAYFLY_PDP_URL'],
    ['a password in the address', { MAYFLY_DECIDER: 'opa', MAYFLY_PDP_URL: 'https://u:p@pdp' }, 'MAYFLY_PDP_URL'],
    ['an open wire', { MAYFLY_DECIDER: 'opa', MAYFLY_PDP_URL: 'http://pdp' }, 'MAYFLY_PDP_URL must be https'],
    ['no patience', { MAYFLY_PDP_TIMEOUT_MILLISECONDS: '0' }, 'MAYFLY_PDP_TIMEOUT'],
    ['a misspelt setting', { MAYFLY_PDP_URI: 'https://pdp' }, 'did you mean MAYFLY_PDP_URL'],
  ])('%s is refused', (_, env, message) => {
    expect(() => read(env)).toThrow(message);
  });

  test('a token that everybody may read is refused', () => {
    const open = join(home, 'open');
    writeFileSync(open, 'x');
    chmodSync(open, 0o644);
    const env = { MAYFLY_DECIDER: 'opa', MAYFLY_PDP_URL: 'https://pdp', MAYFLY_PDP_TOKEN_FILE: open };
    expect(() => read(env)).toThrow('MAYFLY_PDP_TOKEN_FILE');
    chmodSync(open, 0o600);
    expect(() => read(env)).not.toThrow();
  });
});

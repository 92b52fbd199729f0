import { describe, expect, it } from '@jest/globals';
import { runCommand } from './world.js';

const VERBS = [
  ['task', 'start'],
  ['task', 'end'],
  ['task', 'heartbeat'],
  ['fetch'],
  ['grants'],
  ['timeline'],
  ['watch'],
  ['revoke'],
  ['revocations'],
  ['policy', 'check'],
  ['policy', 'sign'],
  ['policy', 'plan'],
  ['policy', 'list'],
  ['policy', 'rollback'],
  ['policy', 'apply'],
  ['evidence', 'export'],
  ['evidence', 'verify'],
  ['doctor'],
  ['dev', 'token'],
];

describe('usage', () => {
  it.each(VERBS.map((verb) => [verb.join(' '), verb] as const))('%s has help with examples and --json', async (_, verb) => {
    const { code, out } = await runCommand([...verb, '--help']);
    expect(code).toBe(0);
    expect(out).toContain('Examples:\n  $ mayfly ');
    expect(out).toContain('--json');
  });

  it.each([
    ['policy apply', 'but the limit on leases holds unless --yes is given'],
    ['policy rollback', 'it is done at once'],
    ['revoke', 'it is done at once'],
  ])('%s says what --yes is, and what happens where nobody can be asked', async (verb, what) => {
    const { out } = await runCommand([...verb.split(' '), '--help']);
    expect(out.replace(/\s+/g, ' ')).toContain(`without a terminal nobody is asked either`);
    expect(out.replace(/\s+/g, ' ')).toContain(what);
  });

  it.each([
    [[]],
    [['nonsense']],
    [['task']],
    [['task', 'start']],
    [['task', 'end']],
    [['task', 'end', 'etl-1', '--outcome', 'splendid']],
    [['fetch', 'etl-1']],
    [['fetch', 'etl-1', 'orders', '--wait', 'soon']],
    [['fetch', 'etl-1', 'orders', '--agent', 'a', '--token', 't']],
    [['grants', '--limit', '-1']],
    [['dev', 'token']],
    [['revoke', '--task', 'etl-1']],
    [['revoke', '--reason', 'x']],
    [['revoke', '--task', 'etl-1', '--tenant', 'default', '--reason', 'x']],
    [['policy', 'sign', 'x', '--out', 'y']],
    [['policy', 'apply', 'x', '--max-lost', 'few']],
    [['policy', 'plan', 'x', '--days', '-1']],
    [['evidence', 'verify', '--head', '12']],
    [['doctor', '--unknown']],
  ])('%j is wrong usage: exit 2, nothing on standard output', async (args) => {
    const { code, out, err } = await runCommand(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).not.toBe('');
  });

  it('without a running stack the sentence says how to start one', async () => {
    const { code, err } = await runCommand(['grants'], { env: { MAYFLY_HOME: '/nowhere' } });
    expect(code).toBe(1);
    expect(err).toBe('mayfly: no running stack found: start the stack with npm start, or set MAYFLY_CONSOLE_URL (not-set-up)\n');
  });

  it('with --json a failure is one JSON document on standard error', async () => {
    const { code, out, err } = await runCommand(['grants', '--json'], { env: { MAYFLY_HOME: '/nowhere' } });
    expect([code, out]).toEqual([1, '']);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'not-set-up' } });
  });
});

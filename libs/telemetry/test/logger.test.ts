import { afterAll, expect, test } from '@jest/globals';
import { Secret, VaultUnavailable } from '@mayfly/domain';
import { createLogger, nestLogger, recordSpans, SPANS, withSpan } from '@mayfly/telemetry';

function setup() {
  const lines: string[] = [];
  const logger = createLogger({ service: 'issuer', level: 'debug', destination: { write: (line) => void lines.push(line) } });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

const recording = recordSpans();
afterAll(() => recording.stop());

test('a line has time, level, service, message, fields and the ids of the active span', async () => {
  const { logger, last } = setup();
  await withSpan(SPANS.mint, {}, () => logger.child({ taskId: 't-1' }).info('lease minted', { capability: 'orders-db.read' }));
  const [span] = recording.spans();
  expect(last()).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    service: 'issuer',
    message: 'lease minted',
    trace_id: span?.traceId,
    span_id: span?.spanId,
    taskId: 't-1',
    capability: 'orders-db.read',
  });
});

test('[bad 75] secrets are redacted by type, by key and by look', () => {
  const { logger, lines } = setup();
  logger.info('x', {
    material: new Secret({ password: 'hunter2' }),
    nested: { client_token: 'hunter2', lease_id: 'hunter2', Authorization: 'hunter2', deep: [{ password: 'hunter2' }] },
    text: `saw eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl and hvs.hunter2hunter2hunter2hunter2 at postgres://me:hunter2@db/x`,
    bytes: Buffer.from('hunter2'),
  });
  expect(lines.join()).not.toMatch(/hunter2|c2lnbmF0dXJl/);
  expect(lines.join()).toContain('postgres://me:[redacted]@db/x');
});

test('[bad 75] an error keeps its class and code; its message only where it is safe by contract', () => {
  const { logger, last } = setup();
  const cause = Object.assign(new Error('connect with token hunter2'), { code: 'ECONNREFUSED', config: { headers: { token: 'hunter2' } } });
  logger.error('mint failed', { error: new VaultUnavailable(undefined, { cause }) });
  expect(last()['error']).toMatchObject({
    type: 'vault-unavailable',
    message: expect.stringContaining('secrets engine'),
    cause: { type: 'Error', code: 'ECONNREFUSED', frames: expect.arrayContaining([expect.stringContaining('logger.test')]) },
  });
  expect(JSON.stringify(last())).not.toContain('hunter2');
});

test('[bad 74] ids with line breaks, terminal escapes or bidi controls stay one harmless line', () => {
  const { logger, lines, last } = setup();
  logger.info('x', { taskId: 'a\r\nb\u001b[31m\u009b31m\u2028\u202e\ud800', 'ke\ny': 1 });
  expect(lines).toHaveLength(1);

  expect(lines[0]?.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  expect(last()).toHaveProperty(['ke\ny'], 1);
});

class VaultHttpError extends Error {
  readonly response = { statusCode: 403, body: { errors: ['hunter2'] } };
  readonly request = { headers: { 'X-Vault-Token': 'hunter2', other: 'hunter2' }, path: '/v1/hunter2', json: { pin: 'hunter2' } };
}

test('[bad 75] an error with the request in it is redacted by its type, whatever its fields are called', () => {
  const { logger, lines, last } = setup();
  const error = Object.assign(new VaultHttpError('403 for token hunter2'), { innocent: 'hunter2', toJSON: () => ({ x: 'hunter2' }) });
  logger.error('vault said no', { error, nested: { deep: [error] }, cause: new Error('outer hunter2', { cause: error }) });
  logger.error('many', { error: new AggregateError([error], 'hunter2') });
  logger.child({ error }).info('as context');
  expect(lines).toHaveLength(3);
  expect(lines.join()).not.toContain('hunter2');
  expect(last()).toMatchObject({ error: { type: 'VaultHttpError' } });
});

test.each(['\r\n{"level":"fatal"}', '\u001b]0;title\u0007', '"},{"level":"info', '\\u000a', '</script>', '\u0085', '\u2029'])(
  '[bad 74] %j in a message, a field’s name, its value or an error stays one line of one object',
  (text) => {
    const { logger, lines } = setup();
    logger.info(`a${text}b`, { [text]: text, error: Object.assign(new Error(text), { code: text }), list: [text] });
    expect(lines).toHaveLength(1);
    expect(lines[0]!.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', service: 'issuer' });
  },
);

test('a field cannot overwrite the line’s own fields', () => {
  const { logger, lines, last } = setup();
  logger.info('real', { message: 'forged', level: 'fatal', service: 'other' });
  expect(last()).toMatchObject({ message: 'real', level: 'info', service: 'issuer', field_message: 'forged' });
  expect(lines[0]?.match(/"message"/g)).toHaveLength(1);
});

test('huge, deep, cyclic and odd values have bounded lines', () => {
  const { logger, lines } = setup();
  const cyclic: Record<string, unknown> = { big: 'x'.repeat(1e6), many: Array.from({ length: 1e5 }, (_, i) => i), n: 1n, f: () => 1 };
  cyclic['self'] = cyclic;
  logger.info('x', { cyclic });
  expect(lines[0]?.length).toBeLessThan(40_000);
});

test('Nest’s messages become lines of ours without its stacks', () => {
  const { logger, last } = setup();
  nestLogger(logger).error('boom', 'Error: hunter2\n  at x', 'ExceptionsHandler');
  expect(last()).toMatchObject({ level: 'error', message: 'framework', text: 'boom', context: 'ExceptionsHandler' });
  nestLogger(logger).error(new Error('hunter2'));
  expect(JSON.stringify(last())).not.toContain('hunter2');
});

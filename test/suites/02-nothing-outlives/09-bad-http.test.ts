import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { connectTo, getBytes, sendRaw } from '../../world/raw-http.js';
import { REPORTER, until, World } from '../../world/world.js';

let world: World;
let token: string;
beforeAll(async () => {
  world = await World.open();
  token = await world.agentToken();
}, 60_000);
afterAll(() => world?.close());

const delivery = (): string => world.dev.delivery.url;
const bearer = (): [string, string] => ['Authorization', `Bearer ${token}`];
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await work();
  return performance.now() - from;
};
const codeOf = (body: string): unknown => (JSON.parse(body) as { code: string }).code;
/** How many copies of a credential live, as the ledger has it. */
const living = async (taskId: string): Promise<number> => {
  const { body } = await world.operate(`/v1/grants?taskId=${taskId}`);
  const leases = body.grants[0].credentials[0].leases as { state: string }[];
  return leases.filter(({ state }) => ['minting', 'active', 'revoking', 'stuck'].includes(state)).length;
};

describe('[bad 49] another agent’s task', () => {
  test('looks like one that nobody knows: same answer, same headers', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/secrets/orders-db'],
      ['GET', '/secrets/nothing'],
      ['POST', '/heartbeat'],
      ['POST', '/release'],
    ] as const) {
      const foreign = await world.ask(`/v1/tasks/${taskId}${rest}`, { method, agent: REPORTER });
      const unknown = await world.ask(`/v1/tasks/${world.newTaskId('none')}${rest}`, { method, agent: REPORTER });
      const shown = ({ status, body, headers }: typeof foreign) => ({
        status,
        body,
        headers: Object.fromEntries([...headers].filter(([name]) => name !== 'date')),
      });
      expect(shown(foreign)).toEqual(shown(unknown));
      expect(foreign.status).toBe(404);
    }
    await world.end(taskId);
  });

  test('takes as long as one that nobody knows', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    const reporter = await world.agentToken(REPORTER);
    const ask = (id: string) => timed(() => world.ask(`/v1/tasks/${id}/secrets/orders-db`, { bearer: reporter }));
    const [foreign, unknown]: [number[], number[]] = [[], []];
    for (let n = 0; n < 150; n += 1) {
      foreign.push(await ask(taskId));
      unknown.push(await ask(`${taskId}-not`));
    }
    // Medians of interleaved samples: what the machine does meanwhile strikes both.
    expect(Math.abs(median(foreign) - median(unknown))).toBeLessThan(Math.max(3, median(unknown) / 2));
    await world.end(taskId);
  });
});

test('[bad 50] before its start a task is unknown; after its end, and after an operator ended it, it is closed', async () => {
  const secret = (taskId: string) => world.ask(`/v1/tasks/${taskId}/secrets/orders-db`);
  const before = world.newTaskId('early');
  expect(await secret(before)).toMatchObject({ status: 404, body: { code: 'task-not-found' } });
  const ended = await world.start('orders-db.read');
  await world.agent().secret(ended, 'orders-db', { waitSeconds: 15 });
  await world.end(ended);
  await world.event(ended, 'grant.closed');
  expect(await secret(ended)).toMatchObject({ status: 410, body: { code: 'task-closed' } });
  const killed = await world.start('orders-db.read');
  await world.agent().secret(killed, 'orders-db', { waitSeconds: 15 });
  const body = JSON.stringify({ selector: { taskId: killed }, reason: 'test' });
  expect((await world.operate('/v1/revocations', { method: 'POST', body })).status).toBe(202);
  expect(await secret(killed)).toMatchObject({ status: 410, body: { code: 'task-closed' } });
});

test('[bad 51] a hundred fetches at the same time leave one copy alive, and a fetch more supersedes it', async () => {
  const taskId = await world.start('orders-db.read');
  await world.event(taskId, 'credential.issued');
  const answers = await Promise.all(Array.from({ length: 100 }, () => world.ask(`/v1/tasks/${taskId}/secrets/orders-db`)));
  expect(answers.filter(({ status }) => ![200, 409, 429].includes(status))).toEqual([]);
  const delivered = answers.filter(({ status }) => status === 200).map(({ body }) => body.data as Record<string, unknown>);
  expect(delivered.length).toBeGreaterThan(0);
  await until('one copy lives', async () => ((await living(taskId)) === 1 ? true : undefined));
  const last = await world.agent().secret(taskId, 'orders-db', { waitSeconds: 15 });
  await until('one copy lives', async () => ((await living(taskId)) === 1 ? true : undefined));
  expect(await world.isRefused(last.data)).toBe(false);
  for (const earlier of delivered) expect(await world.isRefused(earlier)).toBe(true);
  await world.end(taskId);
});

describe('[bad 52] where one request ends and the next begins is never guessed', () => {
  const post = (headers: string, body = ''): string =>
    `POST /v1/tasks/any/release HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;
  test.each<[string, () => string]>([
    ['a length and chunks', () => post('Content-Length: 2\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['chunks and a length', () => post('Transfer-Encoding: chunked\r\nContent-Length: 2', '0\r\n\r\n')],
    ['two lengths', () => post('Content-Length: 2\r\nContent-Length: 3', '{} ')],
    ['two equal lengths', () => post('Content-Length: 2\r\nContent-Length: 2', '{}')],
    ['a list of lengths', () => post('Content-Length: 2, 2', '{}')],
    ['a signed length', () => post('Content-Length: +2', '{}')],
    ['a negative length', () => post('Content-Length: -1', '{}')],
    ['a coding that is not chunked', () => post('Transfer-Encoding: identity', '{}')],
    ['chunked, but not at the end', () => post('Transfer-Encoding: chunked, gzip', '0\r\n\r\n')],
    ['a space before the colon', () => post('Transfer-Encoding : chunked', '0\r\n\r\n')],
    ['a folded header', () => post('Transfer-Encoding:\r\n chunked', '0\r\n\r\n')],
    ['a bare line feed', () => post('X: y\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['a bare carriage return', () => post('X: y\rTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['a NUL in a header', () => post('X: a\0b\r\nContent-Length: 2', '{}')],
    ['a line feed in a chunk extension', () => post('Transfer-Encoding: chunked', '2;a\n{}\r\n0\r\n\r\n')],
    ['a chunk size that is no number', () => post('Transfer-Encoding: chunked', '2x\r\n{}\r\n0\r\n\r\n')],
    ['HTTP/2 by itself', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s: 400, and the connection ends', async (_, bytes) => {
    const answer = await sendRaw(delivery(), bytes(), 2_000);
    expect({ status: answer.status, closed: answer.closed, code: codeOf(answer.body) }).toEqual({
      status: 400,
      closed: true,
      code: 'invalid-request',
    });
  });

  test('a chunk extension that is only long: refused; one that is short means nothing (RFC 9112, 7.1.1)', async () => {
    const long = await sendRaw(delivery(), post('Transfer-Encoding: chunked', `2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`), 2_000);
    expect({ status: long.status, closed: long.closed }).toEqual({ status: 413, closed: true });
    const short = await sendRaw(delivery(), post('Transfer-Encoding: chunked', '2;a=b\r\n{}\r\n0\r\n\r\n'));
    expect(short.status).toBe(404);
  });

  test('what is hidden in the body of a refused request is never asked', async () => {
    const hidden = getBytes('/v1/tasks/any', [bearer()]);
    const answer = await sendRaw(
      delivery(),
      post(`Content-Length: ${hidden.length}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${hidden}`),
      2_000,
    );
    expect(answer.status).toBe(400);
    expect(answer.body).not.toContain('HTTP/1.1');
  });
});

describe('[bad 53] what takes its time, or too much', () => {
  test('hundreds of slow clients are cut off, and nobody waits for them', async () => {
    const from = performance.now();
    const slow = await Promise.all(Array.from({ length: 300 }, () => connectTo(delivery())));
    const ends = slow.map((socket) => {
      socket.write('GET /v1/tasks/any HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      const drip = setInterval(() => socket.writable && socket.write('a'), 1_000);
      return new Promise<number>((resolve) =>
        socket
          .on('error', () => undefined)
          .on('data', () => undefined)
          .once('close', () => {
            clearInterval(drip);
            resolve(performance.now() - from);
          }),
      );
    });
    const meanwhile: number[] = [];
    for (let n = 0; n < 50; n += 1) meanwhile.push(await timed(() => world.ask('/v1/tasks/any')));
    expect(median(meanwhile)).toBeLessThan(500);
    expect(Math.max(...(await Promise.all(ends)))).toBeLessThan(20_000);
  }, 30_000);

  test.each([
    ['10 000 headers', () => Array.from({ length: 10_000 }, (_, n): [string, string] => [`x-${n}`, 'y'])],
    ['one header of 1 MiB', () => [['x', 'y'.repeat(1_048_576)] as [string, string]]],
  ])('%s: 431, and the connection ends', async (_, headers) => {
    const answer = await sendRaw(delivery(), getBytes('/v1/tasks/any', headers()), 2_000);
    expect({ status: answer.status, closed: answer.closed, code: codeOf(answer.body) }).toEqual({
      status: 431,
      closed: true,
      code: 'request-too-large',
    });
  });

  test('a path of 100 kB', async () => {
    expect((await sendRaw(delivery(), getBytes(`/v1/tasks/${'a'.repeat(100_000)}`), 2_000)).status).toBe(431);
  });

  test('HTTP/2 is not spoken, so there are no streams to open and reset', async () => {
    const upgrade: [string, string][] = [
      bearer(),
      ['Connection', 'Upgrade, HTTP2-Settings'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
    ];
    expect((await sendRaw(delivery(), getBytes('/v1/tasks/any', upgrade))).status).toBe(404);
  });
});

describe('[bad 54] a body that is not JSON in UTF-8', () => {
  const services = (): [string, string][] => [
    [`${delivery()}/v1/tasks/any/release`, token],
    [`${delivery()}/access/v1/evaluation`, token],
    [`${world.dev.console.url}/v1/revocations`, ''],
  ];
  test.each<[string, string | undefined, Record<string, string>]>([
    ['a form', 'application/x-www-form-urlencoded', {}],
    ['text', 'text/plain', {}],
    ['XML', 'application/xml', {}],
    ['several parts', 'multipart/form-data; boundary=a', {}],
    ['UTF-7', 'application/json; charset=utf-7', {}],
    ['UTF-16', 'application/json; charset=utf-16', {}],
    ['two types', 'application/json, text/plain', {}],
    ['deflated', 'application/json', { 'content-encoding': 'deflate' }],
    ['zipped', 'application/json', { 'content-encoding': 'gzip' }],
    ['no type', undefined, {}],
  ])('%s: 415', async (_, type, more) => {
    for (const [url, as] of services()) {
      const headers = { authorization: `Bearer ${as || (await world.operatorToken())}`, ...(type && { 'content-type': type }), ...more };
      const answer = await fetch(url, { method: 'POST', body: Buffer.from('{"names":[]}'), headers });
      expect({ status: answer.status, code: codeOf(await answer.text()) }).toEqual({ status: 415, code: 'unsupported-media-type' });
    }
  });
});

describe('[bad 55] what nobody asked for', () => {
  test.each([
    ['/v1/tasks/any?role=admin', 'GET', undefined],
    ['/v1/tasks/any/secrets/orders?ttl=999999', 'GET', undefined],
    ['/v1/tasks/any/heartbeat', 'POST', { ttl: 999_999 }],
    ['/v1/tasks/any/release', 'POST', { names: [], policyVersion: 'sha256:x' }],
    ['/v1/tasks/any/release', 'POST', { agent: REPORTER }],
    ['/v1/tasks/any/usage', 'POST', { rows: 1, calls: -5 }],
    ['/access/v1/evaluation?subject=admin', 'POST', {}],
  ])('%s %s %j of an agent: 400', async (path, method, body) => {
    const answer = await world.ask(path, { method, ...(body && { body: JSON.stringify(body) }) });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
  });

  const revocation = { selector: { taskId: 'none' }, reason: 'test', dryRun: true };
  test.each<[string, string, unknown]>([
    ['/v1/grants?role=admin', 'GET', undefined],
    ['/v1/grants?limit=1&limit=2', 'GET', undefined],
    ['/v1/evidence?ttl=1', 'GET', undefined],
    ['/v1/revocations', 'POST', { ...revocation, role: 'admin' }],
    ['/v1/revocations', 'POST', { ...revocation, selector: { taskId: 'none', policyVersion: 'x' } }],
    ['/v1/revocations', 'POST', { ...revocation, selector: {} }],
    ['/v1/revocations', 'POST', { ...revocation, selector: { taskId: 'none', tenant: 'default' } }],
    ['/v1/revocations', 'POST', { ...revocation, dryRun: 'false' }],
    ['/v1/policies', 'POST', { files: {}, appliedBy: 'somebody' }],
    ['/v1/policies', 'POST', { files: { 'a.cedar': 1 } }],
  ])('%s %s %j of an operator: 400', async (path, method, body) => {
    const answer = await world.operate(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
    expect(answer).toMatchObject({ status: 400, body: { status: 400 } });
  });
});

describe('[bad 56] one path, one spelling, its own methods', () => {
  test.each([
    ['TRACE', '/v1/tasks/any', 405],
    ['OPTIONS', '/v1/tasks/any', 405],
    ['DELETE', '/v1/tasks/any', 405],
    ['PUT', '/v1/tasks/any/release', 405],
    ['GET', '/v1/tasks/any/release', 405],
    ['PROPFIND', '/v1/tasks/any', 405],
    ['GET', '/access/v1/evaluation', 405],
    ['PUT', '/access/v1/evaluations', 405],
    ['POST', '/.well-known/authzen-configuration', 405],
    ['GET', '/access/v1/Evaluation', 404],
    ['GET', '/access/v1/evaluation/', 404],
    ['GET', '/.well-known/authzen-configuration/any', 404],
    ['TRACE', '/nowhere', 404],
    ['GET', '//v1/tasks/any', 404],
    ['GET', '/v1//tasks/any', 404],
    ['GET', '/v1/tasks/any/', 404],
    ['GET', '/v1/tasks;x/any', 404],
    ['GET', '/V1/tasks/any', 404],
    ['GET', '/v1/tasks/any/Secrets/orders', 404],
    ['GET', '/v1%2ftasks%2fany', 404],
    ['GET', '/v1/./tasks/any', 404],
    ['GET', '/v1/x/../tasks/any', 404],
    ['GET', '/v1/tasks/any/secrets/a/b', 404],
    // A part that is no id is said to be one, whatever it hides.
    ['GET', '/v1/tasks/any;x', 400],
    ['GET', '/v1/tasks/any%2f..', 400],
    ['GET', '/v1/tasks/..', 400],
    ['GET', '/v1/tasks/%2e%2e', 400],
    ['GET', '/v1/tasks/any%00', 400],
    ['GET', '/v1/tasks/%ff', 400],
    ['GET', '/v1/tasks/any/secrets/%2e%2e%2fx', 400],
  ])('%s %s: %i', async (method, path, status) => {
    const answer = await sendRaw(delivery(), getBytes(path, [bearer()], method), 0);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.headers['allow'] !== undefined).toBe(status === 405);
  });

  test('no header makes a method another one', async () => {
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    const overriding = { 'x-http-method-override': 'POST', 'x-http-method': 'POST', 'x-method-override': 'POST' };
    expect((await world.ask(`/v1/tasks/${taskId}/release`, { headers: overriding })).status).toBe(405);
    expect((await world.ask(`/v1/tasks/${taskId}?_method=POST`, { headers: overriding })).status).toBe(400);
    expect((await world.agent().task(taskId)).state).toBe('granted');
    await world.end(taskId);
  });
});

describe('[bad 57] text made to keep a pattern busy', () => {
  const asked = (path: string) => () => world.ask(path, { bearer: token });
  const agents: readonly (readonly [string, (n: number) => () => Promise<{ status: number }>])[] = [
    ['a task id', (n) => asked(`/v1/tasks/${'a'.repeat(n)}!`)],
    ['a task id of dots', (n) => asked(`/v1/tasks/${'.'.repeat(n)}!`)],
    ['a credential name', (n) => asked(`/v1/tasks/any/secrets/${'a'.repeat(n)}!`)],
    [
      'a resource',
      (n) => () =>
        world.ask('/access/v1/evaluation', {
          method: 'POST',
          bearer: token,
          body: JSON.stringify({
            subject: { type: 'agent', id: 'a' },
            action: { name: 'a' },
            resource: { type: 'a', id: 'a'.repeat(n) },
            context: {},
          }),
        }),
    ],
    ['a wait', (n) => asked(`/v1/tasks/any/secrets/a?wait=${'1'.repeat(n)}!`)],
    ['a token', (n) => () => world.ask('/v1/tasks/any', { bearer: `${'a'.repeat(n)}!` })],
    ['a token of dots', (n) => () => world.ask('/v1/tasks/any', { bearer: `${'a.'.repeat(n / 2)}!` })],
    ['white space after Bearer', (n) => () => world.ask('/v1/tasks/any', { headers: { authorization: `Bearer${' '.repeat(n)}!` } })],
    [
      'a content type',
      (n) => () =>
        world.ask('/v1/tasks/any/release', {
          method: 'POST',
          body: '{}',
          headers: { 'content-type': `application/${'a+'.repeat(n / 2)}!` },
        }),
    ],
    ['a traceparent', (n) => () => world.ask('/v1/tasks/any!', { headers: { traceparent: `00-${'a'.repeat(n)}!` } })],
  ];
  const times = async (ask: () => Promise<{ status: number }>): Promise<number> => {
    const samples: number[] = [];
    for (let n = 0; n < 15; n += 1)
      samples.push(
        await timed(async () => {
          const { status } = await ask();
          expect(status).toBeGreaterThanOrEqual(400);
          expect(status).toBeLessThan(500);
        }),
      );
    return median(samples);
  };
  /** Eight times the text may cost eight times the work beyond what any request costs; a pattern that backtracks would need 64 times and more. */
  const growsNoFasterThanItsText = async (make: (n: number) => () => Promise<{ status: number }>, n: number): Promise<void> => {
    await make(n)();
    const [short, long] = [await times(make(n)), await times(make(8 * n))];
    expect(long).toBeLessThan(8 * short + 20);
  };
  test.each(agents)('%s', (_, make) => growsNoFasterThanItsText(make, 1_000));

  test.each(['a', 'ab ', '\\', '%', '"', '{{', '-'])(
    'fields of operators, full of %j',
    async (text) => {
      const operator = await world.operatorToken();
      const send = (path: string, body: unknown) => () =>
        fetch(`${world.dev.console.url}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      const long = (n: number): string => `${text.repeat(n / text.length)}!`;
      await growsNoFasterThanItsText(
        (n) => send('/v1/revocations', { selector: { agent: long(n) }, reason: long(n), dryRun: true }),
        8_000,
      );
      await growsNoFasterThanItsText(
        (n) => send('/v1/policies', { files: { 'catalogue.yaml': long(n), 'policies/a.cedar': long(n) } }),
        4_000,
      );
    },
    60_000,
  );
});

test('[bad 58] there are no idempotency keys to reuse: an order means what its body says, as often as it is sent', async () => {
  // Every order is the same when it is repeated: what is revoked stays revoked. A key could only make a kill switch do less than it was told.
  const taskId = await world.start('orders-db.read');
  await world.event(taskId, 'credential.issued');
  const headers = { authorization: `Bearer ${await world.operatorToken()}`, 'content-type': 'application/json', 'idempotency-key': 'one' };
  const order = async (dryRun: boolean) => {
    const body = JSON.stringify({ selector: { taskId }, reason: 'test', dryRun });
    const answer = await fetch(`${world.dev.console.url}/v1/revocations`, { method: 'POST', headers, body });
    return { status: answer.status, ...((await answer.json()) as object) };
  };
  expect(await order(true)).toEqual({ status: 202, dryRun: true, count: 1, tasks: [taskId] });
  expect(await order(false)).toMatchObject({ status: 202, dryRun: false, count: 1, tasks: [taskId] });
  await world.event(taskId, 'grant.closed');
  expect(await order(false)).toMatchObject({ status: 202, dryRun: false, count: 0, tasks: [] });
});

describe('[bad 59] trace headers', () => {
  const TRACE = '0af7651916cd43dd8448eb211c80319c';
  test.each<[string, Record<string, string>]>([
    ['no traceparent at all', { tracestate: 'a=b' }],
    ['a traceparent that is none', { traceparent: 'hello' }],
    ['all zeros', { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }],
    ['version ff', { traceparent: `ff-${TRACE}-b7ad6b7169203331-01` }],
    ['capitals', { traceparent: `00-${TRACE.toUpperCase()}-B7AD6B7169203331-01` }],
    ['a line of 8 kB', { traceparent: `00-${TRACE}-b7ad6b7169203331-01${'-x'.repeat(4_000)}` }],
    ['a tracestate of 8 kB', { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, tracestate: `a=${'x'.repeat(8_000)}` }],
    ['a tracestate that is none', { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, tracestate: ',,=,=,;' }],
    ['a baggage of 8 kB', { baggage: `a=${'x'.repeat(8_000)}` }],
  ])('%s: the request is as good as without', async (_, headers) => {
    expect((await world.ask('/v1/tasks/any', { headers })).status).toBe(404);
  });

  test.each(['tracestate', 'baggage'])('1 MiB of %s: 431', async (name) => {
    expect((await sendRaw(delivery(), getBytes('/v1/tasks/any', [[name, `a=${'x'.repeat(1_048_576)}`]]))).status).toBe(431);
  });

  test('a secret in the baggage goes nowhere', async () => {
    const secret = `canary-${world.newTaskId()}`;
    const traceId = [...Buffer.from(secret)]
      .map((byte) => byte.toString(16))
      .join('')
      .slice(0, 32);
    const headers = { baggage: `password=${secret}`, traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const taskId = await world.start('orders-db.read');
    await world.event(taskId, 'credential.issued');
    expect((await world.ask(`/v1/tasks/${taskId}`, { headers })).status).toBe(200);
    expect((await world.ask('/v1/tasks/any', { headers })).status).toBe(404);
    const trace = await until('the trace of this request', async () => {
      const answer = await fetch(`${world.dev.zipkin.url}/api/v2/trace/${traceId}`);
      return answer.ok ? answer.text() : undefined;
    });
    const logs = readdirSync(world.dev.logs).map((name) => readFileSync(join(world.dev.logs, name), 'utf8'));
    expect([trace, ...logs].join('\n')).not.toContain(secret);
    await world.end(taskId);
    await world.event(taskId, 'grant.closed');
    expect(JSON.stringify(world.eventsOf(taskId))).not.toContain(secret);
  });
});

test('[bad 60] who stands in front, or says so, changes nothing', async () => {
  const taskId = await world.start('orders-db.read');
  await world.event(taskId, 'credential.issued');
  const ask = (path: string, headers: readonly (readonly [string, string])[]) =>
    sendRaw(delivery(), getBytes(path, [bearer(), ...headers]), 0);
  const spoofed: readonly (readonly [string, string])[] = [
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Host', 'evil.example'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Prefix', '/admin'],
    ['X-Forwarded-User', 'admin'],
    ['X-Original-URL', '/v1/grants'],
    ['X-Rewrite-URL', '/healthz'],
    ['X-SSL-Client-Cert', 'subject=CN=admin'],
    ['X-Forwarded-Client-Cert', 'URI=spiffe://example.org/agent/reporter'],
    ['Forwarded', 'for=127.0.0.1;host=evil.example;proto=https'],
  ];
  for (const path of [`/v1/tasks/${taskId}`, '/v1/tasks/any', '/v1/nowhere']) {
    const [plain, dressed] = [await ask(path, []), await ask(path, spoofed)];
    const shown = ({ status, body, headers: { date: _, ...headers } }: typeof plain) => ({ status, body, headers });
    expect(shown(dressed)).toEqual(shown(plain));
    expect(dressed.body + JSON.stringify(dressed.headers)).not.toContain('evil');
  }
  // Without a proof of its own, nobody is let in because of what a proxy would have said.
  expect((await sendRaw(delivery(), getBytes(`/v1/tasks/${taskId}`, spoofed), 0)).status).toBe(401);
  const elsewhere = getBytes('http://evil.example/v1/tasks/any', [bearer()]).replace('Host: mayfly', 'Host: evil.example');
  expect((await sendRaw(delivery(), elsewhere, 0)).body).not.toContain('evil');
  await world.end(taskId);
});

describe('[bad 61] a cursor', () => {
  const cursorOf = (text: string): string => Buffer.from(text).toString('base64url');
  test.each([
    ['that is none', 'forged'],
    ['of another form', cursorOf('{"offset":0}')],
    ['with SQL', cursorOf("2026-11-22T10:00:00.000Z g' or 1=1 --aaaaaaaaa")],
    ['of a day that is none', cursorOf('2026-02-30T10:00:00.000Z gaaaaaaaaaaaaaaaaaaaa')],
    ['with something after it', `${cursorOf('2026-11-22T10:00:00.000Z gaaaaaaaaaaaaaaaaaaaa')}AA`],
    ['in another alphabet', `${cursorOf('2026-11-22T10:00:00.000Z gaaaaaaaaaaaaaaaaaaaa')}=`],
    ['with a NUL', cursorOf('\0')],
    ['of 10 kB', 'A'.repeat(10_000)],
  ])('%s: 400', async (_, cursor) => {
    expect(await world.operate(`/v1/grants?cursor=${encodeURIComponent(cursor)}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid-request' },
    });
  });

  test('from another list only says where to go on: what may be seen is decided by the query it is used with', async () => {
    const [one, two] = [await world.start('orders-db.read'), await world.start('orders-db.read')];
    await Promise.all([one, two].map((taskId) => world.event(taskId, 'credential.issued')));
    const { body } = await world.operate('/v1/grants?limit=1');
    const { body: elsewhere } = await world.operate(`/v1/grants?tenant=somebody-else&cursor=${body.cursor}`);
    expect(elsewhere.grants).toEqual([]);
    await Promise.all([one, two].map((taskId) => world.end(taskId)));
  });
});

describe('[bad 62] a guess that is nearly right', () => {
  test('takes as long as one that is all wrong', async () => {
    // There is no secret to compare with: a token is checked with public keys only. This would notice a comparison that ends early.
    const [head, payload, signature = ''] = token.split('.');
    const flipped = (at: number): string => {
      const bytes = Buffer.from(signature, 'base64url');
      bytes.writeUInt8((bytes[at] ?? 0) ^ 0x10, at);
      return `${head}.${payload}.${bytes.toString('base64url')}`;
    };
    const [early, late]: [number[], number[]] = [[], []];
    for (let n = 0; n < 400; n += 1) {
      early.push(await timed(() => world.ask('/v1/tasks/any', { bearer: flipped(1) })));
      late.push(await timed(() => world.ask('/v1/tasks/any', { bearer: flipped(63) })));
    }
    expect(Math.abs(median(early) - median(late))).toBeLessThan(Math.max(1, median(early) / 4));
  }, 60_000);
});

describe('[bad 63] calls that are for the other side', () => {
  type Operations = Record<string, { tags?: string[]; security?: unknown[] }>;
  const { paths } = parse(readFileSync(new URL('../../../docs/openapi.yaml', import.meta.url), 'utf8')) as {
    paths: Record<string, Operations>;
  };
  /** Those that ask who calls; a list that is open to everybody, as that of revoked serials, has no other side. */
  const tagged = (tag: string): [string, string][] =>
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { tags, security }]): [string, string][] =>
        tags?.includes(tag) && security?.length !== 0 ? [[method.toUpperCase(), path]] : [],
      ),
    );
  const ask = (base: string, method: string, path: string, as: string) =>
    fetch(`${base}${path.replaceAll(/\{\w+\}/g, 'any')}`, {
      method,
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
      ...(method === 'POST' && { body: '{}' }),
    });

  test.each(tagged('operators'))('%s %s by an agent: 403', async (method, path) => {
    const answer = await ask(world.dev.console.url, method, path, token);
    expect({ status: answer.status, code: codeOf(await answer.text()) }).toEqual({ status: 403, code: 'forbidden' });
  });
  test.each(tagged('agents'))('%s %s by an admin: 401', async (method, path) => {
    const answer = await ask(delivery(), method, path, await world.operatorToken('admin'));
    expect({ status: answer.status, code: codeOf(await answer.text()) }).toEqual({ status: 401, code: 'invalid-token' });
  });
  test('each side serves only its own calls', async () => {
    for (const [method, path] of tagged('operators').filter(([, path]) => !path.startsWith('/v1/tasks')))
      expect((await ask(delivery(), method, path, token)).status).toBe(404);
    for (const [method, path] of tagged('agents'))
      expect([404, 405]).toContain((await ask(world.dev.console.url, method, path, token)).status);
  });
});

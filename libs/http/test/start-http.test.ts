import { request as send, type IncomingMessage } from 'node:http';
import { createConnection, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Body, Controller, Get, Param, Post, Req, type INestApplication } from '@nestjs/common';
import { Denied, NotReady } from '@mayfly/domain';
import { createLogger, currentTrace, recordSpans } from '@mayfly/telemetry';
import { bearerToken, startHttp } from '@mayfly/http';

const lines: string[] = [];
const alive = { worker: true };
let holds: Promise<void> | undefined;
let asked = 0;
let away: Error | undefined;
let begun: () => void = () => undefined;

@Controller('v1')
class TestController {
  @Get('tasks/:id')
  task(@Param('id') id: string) {
    if (id === 'denied') throw new Denied('d-1');
    if (id === 'soon') throw new NotReady();
    if (id === 'bug') throw new TypeError('password hunter2');
    return { id };
  }

  @Get('token')
  token(@Req() request: IncomingMessage) {
    return { token: bearerToken(request) };
  }

  @Get('hangs')
  hangs(): Promise<never> {
    begun();
    return new Promise(() => undefined);
  }

  @Post('echo')
  echo(@Body() body: unknown) {
    return { body: body ?? null, traced: currentTrace() !== undefined };
  }
}

const recording = recordSpans();
let app: INestApplication;
let url: string;
beforeAll(async () => {
  app = await startHttp({
    controllers: [TestController],
    providers: [],
    health: {
      liveness: { worker: () => ({ alive: alive.worker, progressMillisecondsAgo: 1_234, problem: alive.worker ? undefined : 'away' }) },
      readiness: {
        ledger: async () => {
          asked += 1;
          await holds;
          if (away) throw away;
        },
      },
    },
    logger: createLogger({ service: 'test', level: 'debug', destination: { write: (line) => void lines.push(line) } }),
    host: '127.0.0.1',
    port: 0,
  });
  url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
});
afterAll(async () => {
  await app.close();
  await recording.stop();
});

const problem = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return { status: response.status, ...((await response.json()) as Record<string, unknown>) };
};
const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  fetch(`${url}/v1/echo`, { method: 'POST', body, headers });

/** Sends headers as they are, one by one. */
const raw = (path: string, headers: string[], method = 'GET'): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = send(`${url}${path}`, { method, headers: ['host', 'x', ...headers] as never }, resolve);
    request.on('error', reject).end();
  });

test('a named error is a problem with its code, sentence and extras', async () => {
  expect(await problem(await fetch(`${url}/v1/tasks/denied`))).toEqual({
    type: 'urn:mayfly:problem:denied',
    title: 'denied',
    status: 403,
    code: 'denied',
    detail: expect.stringContaining('policy denies'),
    decisionId: 'd-1',
  });
  const soon = await fetch(`${url}/v1/tasks/soon`);
  expect(soon.headers.get('retry-after')).toBe('1');
  expect(await problem(soon)).toMatchObject({ status: 409, code: 'not-ready' });
});

test('an unknown error shows nothing from inside, in the answer or the log', async () => {
  const answer = await problem(await fetch(`${url}/v1/tasks/bug`));
  expect(answer).toMatchObject({ status: 500, code: 'internal' });
  expect(JSON.stringify(answer) + lines.join()).not.toContain('hunter2');
  expect(lines.join()).toContain('TypeError');
});

test.each([
  ['an unknown path', () => fetch(`${url}/v1/nowhere?x=<script>`), 404, 'no-such-route'],
  ['a wrong method', () => fetch(`${url}/v1/echo`, { method: 'DELETE' }), 405, 'method-not-allowed'],
  ['a method that Express would answer by itself', () => fetch(`${url}/v1/echo`, { method: 'OPTIONS' }), 405, 'method-not-allowed'],
  ['a slash at the end', () => fetch(`${url}/v1/tasks/t/`), 404, 'no-such-route'],
  ['a slash too many', () => fetch(`${url}/v1//tasks/t`), 404, 'no-such-route'],
  ['other letters', () => fetch(`${url}/v1/Tasks/t`), 404, 'no-such-route'],
  ['a path that cannot be decoded', () => fetch(`${url}/v1/tasks/%FF`), 400, 'invalid-request'],
  ['broken JSON', () => post('{"a":'), 400, 'invalid-request'],
  ['a bare value', () => post('"x"'), 400, 'invalid-request'],
  ['a prototype', () => post('{"__proto__":{"admin":true}}'), 400, 'invalid-request'],
  ['a large body', () => post(JSON.stringify('x'.repeat(300_000))), 413, 'request-too-large'],
  ['another content type', () => post('a=b', { 'content-type': 'application/x-www-form-urlencoded' }), 415, 'unsupported-media-type'],
  ['bytes without a content type', () => post(new Uint8Array([1]), {}), 415, 'unsupported-media-type'],
  ['another charset', () => post('{}', { 'content-type': 'application/json; charset=utf-7' }), 415, 'unsupported-media-type'],
  [
    'a compressed body',
    () => post('{}', { 'content-type': 'application/json', 'content-encoding': 'deflate' }),
    415,
    'unsupported-media-type',
  ],
])('%s is refused with a stable code', async (_what, ask, status, code) => {
  const answer = await problem(await ask());
  expect(answer).toMatchObject({ status, code });
  expect(JSON.stringify(answer)).not.toContain('script');
});

test('deeply nested JSON costs nothing', async () => {
  const from = performance.now();
  await post(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  expect(performance.now() - from).toBeLessThan(1_000);
  expect((await fetch(`${url}/v1/tasks/t`)).status).toBe(200);
});

test('no answer is ever cached or says what made it', async () => {
  const { headers } = await fetch(`${url}/v1/tasks/t-1`);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-powered-by')).toBeNull();
});

test('the bearer token is taken from exactly one header', async () => {
  const good = { headers: { authorization: 'bearer a.b-c_d' } };
  expect(await (await fetch(`${url}/v1/token?x=1`, good)).json()).toEqual({ token: 'a.b-c_d' });
  expect((await fetch(`${url}/v1/token?access_token=x`, good)).status).toBe(400);
  const missing = await fetch(`${url}/v1/token?access_token=x`);
  expect(missing.headers.get('www-authenticate')).toBe('Bearer');
  expect(await problem(missing)).toMatchObject({ status: 401, code: 'invalid-token' });
  expect((await raw('/v1/token', ['authorization', 'Bearer a', 'authorization', 'Bearer b'])).statusCode).toBe(400);
  for (const value of ['Basic a', 'Bearer', 'Bearer a b', 'DPoP a', 'Bearer a,b']) {
    expect((await fetch(`${url}/v1/token`, { headers: { authorization: value } })).status).toBe(401);
  }
  expect([401, 431]).toContain((await raw('/v1/token', ['authorization', `Bearer ${'a'.repeat(17_000)}`])).statusCode);
});

test('a request has one span with its route as a template, active also behind the body parser', async () => {
  recording.clear();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await fetch(`${url}/v1/tasks/t-1?secret=hunter2`, { headers: { traceparent, 'x-forwarded-host': 'evil', 'x-forwarded-proto': 'https' } });
  expect(await (await post('{"a":1}')).json()).toEqual({ body: { a: 1 }, traced: true });
  await fetch(`${url}/healthz`);
  const spans = recording.spans();
  expect(spans.map(({ name }) => name)).toEqual(['GET /v1/tasks/:id', 'POST /v1/echo']);
  expect(spans[0]).toMatchObject({
    kind: 'server',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    attributes: { 'http.route': '/v1/tasks/:id', 'http.response.status_code': 200 },
  });
  expect(JSON.stringify(spans)).not.toMatch(/hunter2|evil/);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/http_server_request_duration_count\{[^}]*http_route="\/v1\/tasks\/:id"[^}]*\} \d/);
});

test('health says which part fails, and never why in its own words', async () => {
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({
    status: 'ok',
    parts: { worker: { status: 'ok', since: expect.stringMatching(/^\d{4}-.*Z$/), progressSecondsAgo: 1.2 } },
  });
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  alive.worker = false;
  away = new RangeError('password hunter2');
  const hanging = await fetch(`${url}/healthz`);
  const unready = await fetch(`${url}/readyz`);
  expect([hanging.status, unready.status]).toEqual([503, 503]);
  expect(await hanging.json()).toMatchObject({ status: 'not-ok', parts: { worker: { status: 'hangs', problem: 'away' } } });
  const { parts } = (await unready.json()) as { parts: { ledger: { since: string } } };
  expect(parts).toEqual({ ledger: { status: 'RangeError', since: expect.any(String) } });
  const { parts: later } = (await (await fetch(`${url}/readyz`)).json()) as typeof unready & { parts: typeof parts };
  expect(later.ledger.since).toBe(parts.ledger.since);
  alive.worker = true;
  away = undefined;
});

test('a dependency that hangs delays no probe for more than two seconds and is asked once, however many look', async () => {
  let end: () => void = () => undefined;
  holds = new Promise<void>((resolve) => (end = resolve));
  asked = 0;
  const since = performance.now();
  const probes = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/readyz`)));
  expect(performance.now() - since).toBeLessThan(3_000);
  for (const probe of probes) expect([probe.status, await probe.json()]).toMatchObject([503, { parts: { ledger: { status: 'slow' } } }]);
  expect(asked).toBe(1);
  end();
  holds = undefined;
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});

/** Everything that comes back for these bytes, until the connection is closed. */
const sendBytes = (bytes: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = createConnection(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (data) => (answer += String(data))).on('error', () => undefined);
    socket.once('close', () => resolve(answer));
  });

test.each([
  ['two lengths', 'POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'invalid-request'],
  ['not HTTP', 'hello\r\n\r\n', 400, 'invalid-request'],
  ['headers without end', `GET / HTTP/1.1\r\nHost: x\r\n${'x: y\r\n'.repeat(10_000)}\r\n`, 431, 'request-too-large'],
])('%s gets a problem and is cut off', async (_, bytes, status, code) => {
  const [head = '', body = ''] = (await sendBytes(bytes)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).toContain('Content-Type: application/problem+json');
  expect(head).toContain('Connection: close');
  expect(JSON.parse(body)).toMatchObject({ status, code });
});

test('a wrong method is told which ones there are', async () => {
  expect((await fetch(`${url}/v1/tasks/t`, { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD');
  expect((await raw('/v1/echo', [], 'TRACE')).headers.allow).toBe('POST');
});

test('closing does not wait for a request that hangs', async () => {
  const reached = new Promise<void>((resolve) => (begun = resolve));
  const hanging = fetch(`${url}/v1/hangs`).catch(() => 'cut');
  await reached;
  const from = performance.now();
  await app.close();
  expect(performance.now() - from).toBeLessThan(5_000);
  expect(await hanging).toBe('cut');
});

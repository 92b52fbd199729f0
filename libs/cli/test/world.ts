/**
 * What a test of commands brings along: a captured terminal, a dev.json, and the services of a stack on loopback.
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { main, type Cli } from '@mayfly/cli';

/** One request that the stack got. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** Answers a request with a body (200), or with a status and a body. */
export type Route = (asked: Asked) => unknown;
/** An answer that is no success. */
export const refused = (status: number, code: string, more: Readonly<Record<string, unknown>> = {}) => ({
  [REFUSED]: status,
  code,
  detail: `this is ${code}`,
  ...more,
});
const REFUSED = Symbol('status');

/** An answer that comes line by line. */
export const lines = (...values: readonly object[]) => ({ [LINES]: values.map((value) => `${JSON.stringify(value)}\n`).join('') });
const LINES = Symbol('lines');

/** Starts a stack whose HTTP services are one server; it knows the routes and the dev profile's token endpoint. */
export async function startWorld(routes: Readonly<Record<string, Route>>) {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-cli-'));
  const asked: Asked[] = [];
  const all: Readonly<Record<string, Route>> = {
    'POST /token': ({ body }) => {
      const form = new URLSearchParams(body);
      return form.get('username') === form.get('password')
        ? { access_token: `token-of-${form.get('username')}` }
        : refused(400, 'invalid_grant');
    },
    ...routes,
  };
  const server = createServer((request, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '', 'http://x');
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const one = { method: request.method ?? '', path, query, authorization: request.headers.authorization, body };
      asked.push(one);
      const answer = (all[`${one.method} ${path}`] ?? (() => refused(404, 'task-not-found')))(one) as Record<symbol, unknown>;
      if (LINES in answer) return response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end(answer[LINES]);
      const status = (answer[REFUSED] as number | undefined) ?? 200;
      response
        .writeHead(status, { 'content-type': status === 200 ? 'application/json' : 'application/problem+json' })
        .end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const agents = join(home, 'agents.jwk');
  writeFileSync(agents, JSON.stringify({ ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'k1' }));
  const dev = { delivery: { url }, console: { url }, issuer: { url }, trustDomain: 'example.org', keys: { agents } };
  writeFileSync(join(home, 'dev.json'), JSON.stringify(dev));

  return {
    home,
    url,
    asked,
    publicKey,
    /** Runs one command as a user would type it. */
    run: (args: readonly string[], around: Partial<Cli> = {}) =>
      runCommand(args, { cwd: home, ...around, env: { MAYFLY_DEV_JSON: join(home, 'dev.json'), ...around.env } }),
    close: async () => {
      await new Promise<void>((resolve) => void server.close(() => resolve()).closeAllConnections());
      rmSync(home, { recursive: true });
    },
  };
}

/** Runs one command and gives back its exit code and what it wrote. */
export async function runCommand(args: readonly string[], around: Partial<Cli> = {}) {
  let out = '';
  let err = '';
  const cli: Cli = {
    env: {},
    cwd: tmpdir(),
    input: () => Promise.resolve(''),
    interactive: false,
    colour: false,
    ask: () => Promise.reject(new Error('nobody is there to answer')),
    ending: () => new AbortController().signal,
    out: (text) => (out += text),
    err: (text) => (err += text),
    ...around,
  };
  const code = await main(args, cli);
  return { code, out, err };
}

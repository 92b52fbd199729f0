/**
 * Calls of the operators' API.
 * @module
 */
import { MayflyProblem, problemOf } from '@mayfly/agent-client';
import type { Cli } from './cli.js';
import { known, readEndpoints, type Endpoints } from './endpoints.js';
import { operatorToken } from './operator-token.js';

/** The operators' API for one person. All throw MayflyProblem. */
export interface ConsoleClient {
  get<T>(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  /** Reads an answer line by line while it is made (NDJSON). */
  lines(path: string, body: unknown, onLine: (line: Readonly<Record<string, unknown>>) => void): Promise<void>;
}

const PATIENCE_MILLISECONDS = 30_000;

/** @param least the example operator that may just do it, unless `given` (`--as`) names another */
export async function connectConsole(
  cli: Cli,
  least: string,
  given?: string,
  endpoints: Endpoints = readEndpoints(cli),
): Promise<ConsoleClient> {
  const url = known(endpoints, 'console').replace(/\/+$/, '');
  const token = await operatorToken(cli, endpoints, least, given);
  const send = async (
    method: string,
    path: string,
    signal: AbortSignal,
    body?: unknown,
    accept = 'application/json',
  ): Promise<Response> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, accept, ...(body !== undefined && { 'content-type': 'application/json' }) },
      redirect: 'error',
      signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch(unreachable);
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> =>
    (await send(method, path, AbortSignal.timeout(PATIENCE_MILLISECONDS), body)).json() as Promise<T>;
  return {
    get: (path, query = {}) => {
      const asked = Object.entries(query).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] as [string, string]],
      );
      return call('GET', asked.length > 0 ? `${path}?${new URLSearchParams(asked).toString()}` : path);
    },
    post: (path, body) => call('POST', path, body),
    lines: async (path, body, onLine) => {
      // It may take long, but never says nothing for long.
      const silence = new AbortController();
      const listen = (): NodeJS.Timeout => setTimeout(() => silence.abort(), PATIENCE_MILLISECONDS);
      let timer = listen();
      try {
        const { body: stream } = await send('POST', path, silence.signal, body, 'application/x-ndjson');
        let rest = '';
        for await (const part of (stream ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
          clearTimeout(timer);
          timer = listen();
          const whole = `${rest}${part}`.split('\n');
          rest = whole.pop() ?? '';
          for (const line of whole) onLine(JSON.parse(line) as Readonly<Record<string, unknown>>);
        }
      } catch (error) {
        return error instanceof MayflyProblem ? Promise.reject(error) : unreachable(error);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function unreachable(error: unknown): never {
  throw new MayflyProblem('the console does not answer; see npx mayfly doctor', { code: 'unreachable', status: 0 }, { cause: error });
}

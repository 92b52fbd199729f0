/**
 * Calls of the operators' API.
 * @module
 */
import { MayflyProblem, problemOf } from '@mayfly/agent-client';
import type { Cli } from './cli.js';
import { known, readEndpoints, type Endpoints } from './endpoints.js';
import { operatorToken } from './operator-token.js';

/** The operators' API for one person. Both throw MayflyProblem. */
export interface ConsoleClient {
  get<T>(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
}

/** @param least the example operator that may just do it, unless `given` (`--as`) names another */
export async function connectConsole(
  cli: Cli,
  least: string,
  given?: string,
  endpoints: Endpoints = readEndpoints(cli),
): Promise<ConsoleClient> {
  const url = known(endpoints, 'console').replace(/\/+$/, '');
  const token = await operatorToken(cli, endpoints, least, given);
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new MayflyProblem('the console does not answer; see npx mayfly doctor', { code: 'unreachable', status: 0 }, { cause: error });
    });
    if (!response.ok) throw await problemOf(response);
    return (await response.json()) as T;
  };
  return {
    get: (path, query = {}) => {
      const asked = Object.entries(query).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] as [string, string]],
      );
      return call('GET', asked.length > 0 ? `${path}?${new URLSearchParams(asked).toString()}` : path);
    },
    post: (path, body) => call('POST', path, body),
  };
}

/**
 * How node-vault's requests leave. Its own transport follows redirects and proxies from the environment with the token on board, has no
 * deadline for a whole call, and fails with errors that hold the token and the body; so it gets this one (docs/adr/0101).
 * @module
 */
import { Agent } from 'undici';

/** What node-vault hands to its transport, with the deadline that we put beside it. */
export interface Outgoing {
  readonly method: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly signal: AbortSignal;
}

/** What node-vault expects back. */
export interface Incoming {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

/** So long an idle connection is kept; Vault and OpenBao keep theirs for five minutes. */
const KEEP_ALIVE_MS = 30_000;

/** One for the process. How many requests are under way at once, and so how many connections there are, whoever calls bounds. */
const connections = new Agent({ keepAliveTimeout: KEEP_ALIVE_MS, connections: null });

/**
 * Sends one request over the process's keep-alive connections. Any status is an answer; a redirect is one too, and is not followed.
 * @throws what undici throws when there is no answer; it names hosts and error codes, never headers or bodies
 */
export async function send({ method, uri, headers, json, signal }: Outgoing): Promise<Incoming> {
  const { origin, pathname, search } = new URL(uri);
  const { statusCode, body } = await connections.request({
    origin,
    path: pathname + search,
    method,
    headers: { ...headers, ...(json !== undefined && { 'content-type': 'application/json' }) },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    signal,
  });
  return { statusCode, body: parsed(await body.text()), request: { path: pathname } };
}

/** A proxy in between may answer with a page; that is not Vault speaking, and its status decides. */
function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

/**
 * A delivery service on loopback that answers what a test tells it to.
 * @module
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A problem document as the service writes it. */
export const problem = (
  status: number,
  code: string,
  more: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status,
  body: { type: `urn:mayfly:problem:${code}`, title: code, status, code, detail: `this is ${code}`, ...more },
  headers: { 'content-type': 'application/problem+json', ...headers },
});

/** Starts one; it gives the answers in turn, the last one again and again, and remembers what it was asked. */
export async function startDelivery(...answers: Answer[]) {
  const asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      const { status, body: answer, headers } = answers[Math.min(asked.length, answers.length) - 1] ?? { status: 500 };
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(answer === undefined ? '' : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => new Promise<void>((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
}

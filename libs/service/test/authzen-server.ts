/** An AuthZEN 1.0 decider over HTTP, strict about what it is asked, with somebody behind it who decides. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const entity = z.object({ type: z.string().min(1), id: z.string(), properties: z.record(z.string(), z.unknown()).optional() });
const form = z.object({
  subject: entity,
  action: z.object({ name: z.string().min(1), properties: z.record(z.string(), z.unknown()).optional() }),
  resource: entity,
  context: z.record(z.string(), z.unknown()).optional(),
});

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves this on a port of its own. */
export async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Listening> {
  const server = createServer(handle);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const close = (): Promise<void> =>
    new Promise((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** Starts one; its `url` is the access evaluation endpoint. */
export async function startAuthzen(token: string, decide: (request: z.infer<typeof form>) => Promise<unknown>): Promise<Listening> {
  const answer = async (request: IncomingMessage): Promise<[status: number, body: unknown]> => {
    if (request.url !== '/access/v1/evaluation' || request.method !== 'POST') return [404, 'not here'];
    if (request.headers.authorization !== `Bearer ${token}`) return [401, 'who are you?'];
    if (request.headers['content-type'] !== 'application/json' || !request.headers['x-request-id']) return [400, 'not a question'];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = form.safeParse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    return asked.success ? [200, await decide(asked.data)] : [400, z.prettifyError(asked.error)];
  };
  const { url, close } = await serve((request, response) => {
    void answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': request.headers['x-request-id'] ?? '' });
      response.end(JSON.stringify(body));
    });
  });
  return { url: `${url}/access/v1/evaluation`, close };
}

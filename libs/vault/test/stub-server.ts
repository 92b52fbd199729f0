/** A server that answers as a test says, and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;

  readonly body: any;
}
/** An answer, or what to do instead: break the connection, or never answer. */
export type Reply = { readonly status: number; readonly body?: unknown; readonly location?: string } | 'break' | 'silence';

export interface StubServer {
  readonly address: string;
  readonly asked: Asked[];
  stop(): Promise<void>;
}

export async function stubServer(reply: (asked: Asked, count: number) => Reply): Promise<StubServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: text ? JSON.parse(text) : undefined,
      };
      asked.push(one);
      const answer = reply(one, asked.length);
      if (answer === 'silence') return;
      if (answer === 'break') return void request.socket.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/json', ...(answer.location && { location: answer.location }) });
      response.end(answer.body === undefined ? '' : typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, stop };
}

/**
 * What Node's parser refuses gets a problem too, and its connection ends.
 * @module
 */
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemOf } from './problem-filter.js';

/** Statuses by the parser's code; anything else is 400: two lengths, bare line feeds, folded headers, what is not HTTP/1.1. */
const STATUS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** Answers what cannot be read, once, and closes: nobody can say where the next request would begin. */
export function refuseWhatIsNotHttp(server: Server): void {
  const answering = new WeakMap<Duplex, ServerResponse>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => void answering.set(socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const open = answering.get(socket);
    const midway = open?.headersSent === true && !open.writableFinished;
    if (socket.writable && !midway) socket.write(answer(STATUS[error.code ?? ''] ?? 400));
    socket.destroy();
  });
}

function answer(status: number): string {
  const body = JSON.stringify(problemOf(Object.assign(new Error(), { status })));
  const headers = ['Content-Type: application/problem+json', `Content-Length: ${Buffer.byteLength(body)}`, 'Cache-Control: no-store'];
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers, 'Connection: close', '', body].join('\r\n');
}

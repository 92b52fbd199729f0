/** HTTP byte by byte, for what no well-behaved client sends. */
import { createConnection, type Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** True when the server closed the connection by itself. */
  readonly closed: boolean;
  readonly milliseconds: number;
}

/** Opens a connection to a service. */
export const connectTo = (url: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(Number(new URL(url).port), new URL(url).hostname, () => resolve(socket));
    socket.once('error', reject);
  });

/** Sends these bytes and gives the first answer; waits `lingerMilliseconds` for the server to close after it. */
export async function sendRaw(url: string, bytes: string | Buffer, lingerMilliseconds = 500, patienceSeconds = 20): Promise<RawAnswer> {
  const socket = await connectTo(url);
  const from = performance.now();
  const chunks: Buffer[] = [];
  let closed = false;
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(() => done.resolve(), patienceSeconds * 1000);
  let answeredAt: number | undefined;
  socket
    .on('data', (data) => {
      chunks.push(data);
      if (answeredAt !== undefined || !isWhole(Buffer.concat(chunks))) return;
      answeredAt = performance.now();
      setTimeout(() => done.resolve(), lingerMilliseconds);
    })
    .on('error', () => undefined)
    .on('close', () => {
      closed = true;
      done.resolve();
    })
    .write(bytes);
  await done.promise;
  clearTimeout(timer);
  const answer = { ...parse(Buffer.concat(chunks).toString('latin1')), closed, milliseconds: (answeredAt ?? performance.now()) - from };
  socket.destroy();
  return answer;
}

/** A request without a body as bytes; headers in the order and number that they are given. */
export const getBytes = (path: string, headers: readonly (readonly [string, string])[] = [], method = 'GET'): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: mayfly', ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');

function isWhole(bytes: Buffer): boolean {
  const { status, headers, body } = parse(bytes.toString('latin1'));
  if (status === 0 || !bytes.includes('\r\n\r\n')) return false;
  if (headers['content-length'] !== undefined) return body.length >= Number(headers['content-length']);
  return headers['transfer-encoding'] === undefined || body.endsWith('0\r\n\r\n');
}

function parse(text: string): Pick<RawAnswer, 'status' | 'headers' | 'body'> {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
  return {
    status: Number(first.split(' ')[1] ?? 0),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: rest.join('\r\n\r\n'),
  };
}

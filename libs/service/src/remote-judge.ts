/**
 * Judgement by a decider elsewhere, over HTTP. Whatever does not go as it should is a deny.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { authzenRequest, remoteVerdict, UNAVAILABLE, type Judge, type Verdict } from '@mayfly/policy';
import { ATTRIBUTES, counter, currentTrace, METRICS } from '@mayfly/telemetry';

/** Where a decider is, and how to ask it. */
export interface RemotePdp {
  /** `authzen`: an access evaluation endpoint of AuthZEN 1.0. `opa`: a rule of the Open Policy Agent's data API that answers the same. */
  readonly kind: 'authzen' | 'opa';
  /** Where the question is posted to, in full. */
  readonly url: string;
  /** File with a bearer token, read again for each question: tokens are exchanged while a process runs. */
  readonly tokenFile?: string | undefined;
  /** The whole answer must be there within so many milliseconds. */
  readonly timeoutMilliseconds: number;
}

const MAX_BYTES = 65_536;
const failures = counter(METRICS.pdpFailures);

/** Makes a judge that asks elsewhere. Nothing is asked twice: what failed once is a deny. */
export const remoteJudge =
  (pdp: RemotePdp): Judge =>
  async (question, id) => {
    const request = authzenRequest(question);
    const verdict = await ask(pdp, pdp.kind === 'opa' ? { input: request } : request, id).then(
      (answer) => remoteVerdict(pdp.kind === 'opa' ? (answer as { result?: unknown } | null)?.result : answer),
      (): Verdict => UNAVAILABLE,
    );
    if (verdict.reason === 'pdp-unavailable' || verdict.reason === 'evaluation-error')
      failures.add(1, { [ATTRIBUTES.reason]: verdict.reason });
    return verdict;
  };

/** @throws Error unless the answer is a plain 200 with JSON that is short enough; a redirect could lead anywhere */
async function ask({ url, tokenFile, timeoutMilliseconds }: RemotePdp, body: unknown, id: string): Promise<unknown> {
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
  if (token === '') throw new Error('the token file is empty');
  const traceparent = currentTrace()?.traceparent;
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMilliseconds),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'x-request-id': id,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(traceparent !== undefined && { traceparent }),
    },
    body: JSON.stringify(body),
  });
  const text = await textOf(response);
  if (response.status !== 200) throw new Error(`the decider answered ${response.status}`);
  return JSON.parse(text);
}

/** Reads to the end, so that the connection can be used again; too much is cut off. */
async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error('the decider says too much');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * A plan over HTTP: one document, or for whoever asks for it line by line while it is made.
 * @module
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemOf } from '@mayfly/http';
import type { Plan, PlanRequest } from './planning.js';

const STREAM = 'application/x-ndjson';

/**
 * Makes a plan and answers with it. A stream has lines `{ progress }`, `{ lost }` and `{ gained }`, and ends with `{ plan }` or `{ problem }`.
 * What fails before the first line is thrown. Making it stops when the caller goes.
 */
export async function answerPlan(
  request: IncomingMessage,
  response: ServerResponse,
  make: (tools: Pick<PlanRequest, 'gone' | 'tell'>) => Promise<Plan>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const streaming = request.headers.accept?.includes(STREAM) ?? false;
  const line = async (value: object): Promise<void> => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': STREAM });
    // Whoever reads slowly slows the making down: nothing heaps up here.
    if (!response.write(`${JSON.stringify(value)}\n`)) await once(response, 'drain', { signal: gone.signal });
  };
  try {
    const plan = await make({ gone: gone.signal, tell: streaming ? line : () => undefined });
    if (!streaming) return answer(response, plan);
    await line({ plan });
  } catch (error) {
    if (gone.signal.aborted) return;
    if (!response.headersSent) throw error;
    await line({ problem: problemOf(error) });
  }
  response.end();
}

function answer(response: ServerResponse, plan: Plan): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(plan));
}

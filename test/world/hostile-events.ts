/** Records that an orchestrator would send if it were broken, careless or somebody else. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SIGNATURE_ATTRIBUTE, signEvent } from '@mayfly/task-events';
import { generateKeyPair, exportJWK, type JWK } from 'jose';
import { etlTask, SOURCE } from './world.js';

/** The example's orchestrator that has to sign, and its published key. */
export const SIGNING_SOURCE = 'urn:example:signed-orchestrator';
export const SIGNING_KEY = JSON.parse(
  readFileSync(new URL('../../deploy/local/dev-only-signed-orchestrator.jwk', import.meta.url), 'utf8'),
) as JWK;

export const STARTED = 'dev.mayfly.task.started.v1';
export const ENDED = 'dev.mayfly.task.ended.v1';
export const HEARTBEAT = 'dev.mayfly.task.heartbeat.v1';
export const RISK = 'dev.mayfly.signal.risk.v1';
export const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };

type Fields = Readonly<Record<string, unknown>>;

/** A structured start of the task, right in every field but those that are changed. */
export const event = (taskId: string, data: Fields = {}, attributes: Fields = {}): Fields => ({
  specversion: '1.0',
  id: `bad-${randomUUID()}`,
  source: SOURCE,
  type: STARTED,
  time: new Date().toISOString(),
  data: { ...etlTask(taskId), credentials: [{ name: 'a', capability: 'orders-db.read', ttlSeconds: 60 }], ...data },
  ...attributes,
});
/** The same as text. */
export const text = (taskId: string, data: Fields = {}, attributes: Fields = {}): string => JSON.stringify(event(taskId, data, attributes));

/** An event of the signing orchestrator with a signature over `told`, which is the event itself unless the test lies. */
export async function signed(
  sent: Fields,
  { told = {}, key = SIGNING_KEY, audience = 'mayfly' }: { readonly told?: Fields; readonly key?: JWK; readonly audience?: string } = {},
): Promise<string> {
  const whole = { source: SIGNING_SOURCE, ...sent };
  const signature = await signEvent({ ...event('unused'), ...whole, ...told } as unknown as Parameters<typeof signEvent>[0], audience, key);
  return JSON.stringify({ ...whole, [SIGNATURE_ATTRIBUTE]: signature });
}

/** A key that nobody registered. */
export async function strangersKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: 'ES256' };
}

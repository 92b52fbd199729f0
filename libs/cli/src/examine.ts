/**
 * Is everything there that the command line and Mayfly need?
 * @module
 */
import type { Endpoints } from './endpoints.js';
import { anyReachable } from './reachable.js';
import { plain, withoutCredentials } from './show.js';

/** One part of the system, looked at. */
export interface Finding {
  readonly name: string;
  readonly address?: string;
  readonly ok: boolean;
  /** What to do, when it is not. */
  readonly advice?: string;
}

const PATIENCE_MS = 3_000;
const START = 'start the stack with npm start';
/** Mayfly's processes that only the local stack names. */
const INNER_SERVICES = ['issuer', 'revoker', 'drift', 'evidence'] as const;

/** Undefined when all is well, else what to do. */
type Check = () => Promise<string | undefined>;

/** Looks at all parts at once. */
export function examine({ brokers, delivery, console: operators, issuer, vault, zipkin, ports }: Endpoints): Promise<Finding[]> {
  const inner = INNER_SERVICES.filter((name) => ports[name] !== undefined);
  return Promise.all([
    look('kafka', brokers, async () =>
      (await anyReachable(brokers ?? [])) ? undefined : `no broker answers; ${START}, or correct KAFKA_BROKERS`,
    ),
    look('vault', vault, () => vaultIsOpen(vault ?? '')),
    look('identity', issuer, () => answers(`${issuer}/.well-known/openid-configuration`, `the dev identity provider is away; ${START}`)),
    look('delivery', delivery, () => isReady(delivery ?? '')),
    look('console', operators, () => isReady(operators ?? '')),
    ...inner.map((name) => {
      const url = `http://127.0.0.1:${ports[name]}`;
      return look(name, url, () => isReady(url));
    }),
    ...(zipkin === undefined
      ? []
      : [look('zipkin', zipkin, () => answers(`${zipkin}/health`, 'traces cannot be looked at; everything else works'))]),
  ]);
}

async function look(name: string, given: string | readonly string[] | undefined, check: Check): Promise<Finding> {
  if (given === undefined) return { name, ok: false, advice: `nobody says where it is; ${START}` };
  const whole = [given].flat().join(',');
  const address = withoutCredentials(whole);
  // No client takes them from there, and an address is shown in many places.
  if (address !== whole) return { name, address, ok: false, advice: 'its address holds a user or password; give the address without them' };
  const advice = await check().catch(() => 'it does not answer; see its log');
  return { name, address, ok: advice === undefined, ...(advice !== undefined && { advice }) };
}

async function answers(url: string, advice: string): Promise<string | undefined> {
  const response = await get(url).catch(() => undefined);
  return response?.ok ? undefined : advice;
}

async function isReady(url: string): Promise<string | undefined> {
  const response = await get(`${url}/readyz`).catch(() => undefined);
  if (!response) return `it does not answer; ${START}, or correct its address`;
  if (response.ok) return undefined;
  const parts = partsNotReady(response.text);
  return `it is not ready${parts ? `: ${plain(parts)}` : ''}; its log says why`;
}

/** `vault (unavailable) since …`, of what a service says on `/readyz`; empty when it says nothing of the kind. */
function partsNotReady(text: string): string {
  try {
    const { parts } = JSON.parse(text) as { readonly parts: Readonly<Record<string, { readonly status: string; readonly since: string }>> };
    const away = Object.entries(parts).filter(([, { status }]) => status !== 'ok');
    return away.map(([name, { status, since }]) => `${name} (${status}) since ${since}`).join(', ');
  } catch {
    return '';
  }
}

/** A standby is well too. */
async function vaultIsOpen(address: string): Promise<string | undefined> {
  const response = await get(`${address}/v1/sys/health`).catch(() => undefined);
  return response && [200, 429, 472, 473].includes(response.status)
    ? undefined
    : 'it is sealed or away: unseal it, or see openbao.log of the local stack';
}

async function get(url: string): Promise<{ readonly ok: boolean; readonly status: number; readonly text: string }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
  return { ok: response.ok, status: response.status, text: await response.text() };
}

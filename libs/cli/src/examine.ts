/**
 * Is everything there that the command line and Mayfly need?
 * @module
 */
import type { Endpoints } from './endpoints.js';
import { anyReachable } from './reachable.js';

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

/** Looks at all parts at once. */
export function examine({ brokers, delivery, console: operators, issuer, vault, zipkin, ports }: Endpoints): Promise<Finding[]> {
  const inner = INNER_SERVICES.filter((name) => ports[name] !== undefined);
  return Promise.all([
    look('kafka', brokers?.join(','), () => anyReachable(brokers ?? []), `no broker answers; ${START}, or correct KAFKA_BROKERS`),
    look('vault', vault, () => vaultIsOpen(vault ?? ''), 'it is sealed or away: unseal it, or see openbao.log of the local stack'),
    look('identity', issuer, () => answers(`${issuer}/.well-known/openid-configuration`), `the dev identity provider is away; ${START}`),
    look('delivery', delivery, () => answers(`${delivery}/readyz`), 'it is not ready: its /readyz and its log say why'),
    look('console', operators, () => answers(`${operators}/readyz`), 'it is not ready: its /readyz and its log say why'),
    ...inner.map((name) => {
      const url = `http://127.0.0.1:${ports[name]}`;
      return look(name, url, () => answers(`${url}/readyz`), 'it is not ready: its /readyz and its log say why');
    }),
    ...(zipkin === undefined
      ? []
      : [look('zipkin', zipkin, () => answers(`${zipkin}/health`), 'traces cannot be looked at; everything else works')]),
  ]);
}

async function look(name: string, address: string | undefined, isWell: () => Promise<boolean>, advice: string): Promise<Finding> {
  if (address === undefined) return { name, ok: false, advice: `nobody says where it is; ${START}` };
  const ok = await isWell().catch(() => false);
  return { name, address, ok, ...(!ok && { advice }) };
}

async function answers(url: string): Promise<boolean> {
  return (await get(url)).ok;
}

/** A standby is well too. */
async function vaultIsOpen(address: string): Promise<boolean> {
  return [200, 429, 472, 473].includes((await get(`${address}/v1/sys/health`)).status);
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
  await response.arrayBuffer();
  return response;
}

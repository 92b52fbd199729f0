/**
 * Vault's answers, read with suspicion.
 * @module
 */
import { Secret } from '@mayfly/domain';

/** A successful answer. What it holds may be secret; only this lib sees it. */
export interface VaultAnswer {
  readonly data: Readonly<Record<string, unknown>>;
  readonly auth: Readonly<Record<string, unknown>>;
  /** Empty where nothing was leased. */
  readonly leaseId: string;
  readonly leaseSeconds: number;
  /** What is not as it should be: Vault's warnings, errors beside data, an answer wrapped unasked. When something is created, any is a failure. */
  readonly warnings: readonly string[];
  /** The whole body, for answers without an envelope (`sys/health`). */
  readonly body: Readonly<Record<string, unknown>>;
}

/** True for an object that is no list. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const record = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** Reads the envelope. An empty body (204) is an answer without anything. */
export function readAnswer(answer: unknown): VaultAnswer {
  const body = record(answer);
  return {
    data: record(body.data),
    auth: record(body.auth),
    leaseId: typeof body.lease_id === 'string' ? body.lease_id : '',
    leaseSeconds: typeof body.lease_duration === 'number' ? body.lease_duration : 0,
    warnings: [...list(body.warnings), ...list(body.errors), ...(body.wrap_info ? ['wrapped'] : [])],
    body,
  };
}

/** A field that has to be a text with something in it; undefined otherwise. */
export const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** A field that has to be a finite number; undefined otherwise. */
export const number = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);

/** The named text fields; undefined when any of them is missing. */
export function texts<Name extends string>(data: Readonly<Record<string, unknown>>, ...names: Name[]): Record<Name, string> | undefined {
  const found = names.map((name) => [name, text(data[name])] as const);
  return found.every(([, value]) => value !== undefined) ? (Object.fromEntries(found) as Record<Name, string>) : undefined;
}

/** A token in an answer. */
export function clientToken(answer: VaultAnswer): Secret<string> | undefined {
  const token = text(answer.auth.client_token);
  return token === undefined ? undefined : new Secret(token);
}

/** Quint's traces (Informal Trace Format) as plain values. */

export interface ModelGrant {
  readonly state: string;
  readonly prior: string;
  readonly token: number;
  readonly mintAt: number;
  readonly revokeAt: number;
  readonly attempts: number;
}
export interface ModelLease {
  readonly ref: number;
  readonly state: string;
  readonly prior: string;
  readonly minter: string;
  readonly issued: boolean;
  readonly copy: number;
}
export interface ModelCopy {
  readonly id: number;
  readonly leased: boolean;
  readonly alive: boolean;
  readonly handed: boolean;
}
/** One world of the model, and what led there. */
export interface ModelState {
  readonly s: {
    readonly now: number;
    readonly permitted: boolean;
    readonly grant: ModelGrant;
    readonly leases: readonly ModelLease[];
    readonly tokens: readonly number[];
    readonly copies: readonly ModelCopy[];
    readonly workers: Readonly<Record<string, { readonly pc: string }>>;
  };
  readonly last: { readonly deed: string; readonly by: string; readonly outcome: string };
}

/** Reads one trace. */
export const readTrace = (text: string): ModelState[] =>
  (JSON.parse(text) as { states: unknown[] }).states.map((state) => plain(state) as ModelState);

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const { '#bigint': big, '#set': set, '#map': map, '#tup': tuple } = value as Record<string, any>;
  if (big !== undefined) return Number(big);
  if (set !== undefined) return set.map(plain);
  if (tuple !== undefined) return tuple.map(plain);
  if (map !== undefined) return Object.fromEntries(map.map(([key, mapped]: [unknown, unknown]) => [String(plain(key)), plain(mapped)]));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

/**
 * What happened, on one line.
 * @module
 */
import type { Colour } from './show.js';
import { plain } from './show.js';

/** The short name of an event or evidence type: `credential.revoked`, `task-ended`. */
export const shortKind = (kind: string): string => plain(kind.replace(/^dev\.mayfly\.(evidence\.)?/, '').replace(/\.v\d+$/, ''));

const COLOURS: readonly (readonly [RegExp, Colour])[] = [
  [/denied|failed|stuck|lost|refused|quarantined/, 'red'],
  [/revocation-requested|pending/, 'yellow'],
  [/revoked|closed|ended|released/, 'magenta'],
  [/issued|delivered/, 'green'],
];
/** Green for access that is given, magenta for access that is over, red for what needs a look. */
export const colourOf = (kind: string): Colour => COLOURS.find(([pattern]) => pattern.test(kind))?.[1] ?? 'blue';

/** The part of an event's data that people want to see, in this order. */
const TOLD = ['credential', 'capability', 'outcome', 'cause', 'reason', 'reasons', 'proof', 'expiresAt', 'operator'] as const;

/** An event's data in words. */
export function describeData(data: Readonly<Record<string, unknown>>): string {
  const told = TOLD.flatMap((name) => (data[name] === undefined || isSaid(data, name) ? [] : [said(name, data[name])]));
  const credentials = Array.isArray(data['credentials']) ? [credentialsOf(data['credentials'] as readonly Told[])] : [];
  return plain([...told, ...credentials].filter((text) => text !== '').join('  '));
}

/** A revocation's reason is its cause or its proof once more. */
const isSaid = (data: Readonly<Record<string, unknown>>, name: string): boolean =>
  name === 'reason' && (data['proof'] !== undefined || data['reason'] === data['cause']);

function said(name: string, value: unknown): string {
  if (name === 'proof') return `proof: ${proofText(value)}`;
  if (name === 'expiresAt') return `until ${String(value).slice(11, 19)}`;
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return name === 'credential' || name === 'capability' ? text : `${name}=${text}`;
}

/** What was checked before a credential was called dead. */
export function proofText(proof: unknown): string {
  const { lease, token, target } = (proof ?? {}) as Readonly<Record<string, string | undefined>>;
  return [lease, token, target].filter((checked) => checked !== undefined).join('; ');
}

interface Told {
  readonly name?: string;
  readonly decision?: string;
  readonly leases?: readonly { readonly ended?: string }[];
}

const credentialsOf = (credentials: readonly Told[]): string =>
  credentials
    .map(({ name = '?', decision, leases }) => [name, decision ?? leases?.at(-1)?.ended].filter((known) => known !== undefined).join(':'))
    .join(' ');

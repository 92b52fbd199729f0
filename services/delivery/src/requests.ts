/**
 * What agents may send, checked for form. What is not known is refused: ignored, it would look as if it had worked.
 * @module
 */
import { InvalidRequest } from '@mayfly/domain';
import type { UsageReport } from '@mayfly/store';
import { waitMilliseconds } from './wait.js';

const NAME = /^[A-Za-z0-9._-]{1,100}$/;
const MOST_NAMES = 32;
const USAGE = 'the body may only be { "rows": …, "bytes": … } with whole numbers from 0 on, at least one of them';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isName = (name: unknown): name is string => typeof name === 'string' && NAME.test(name);

/** The name of a credential. @throws InvalidRequest */
export function credentialName(text: string): string {
  if (!NAME.test(text)) throw new InvalidRequest('a credential name is 1 to 100 characters of A-Z a-z 0-9 . _ -');
  return text;
}

/** Milliseconds to wait, of a query that has nothing else. @throws InvalidRequest */
export function waitOf(query: unknown): number {
  const { wait } = only(['wait'], query, 'the query may only be ?wait=10s');
  return waitMilliseconds(wait);
}

/** Names of a body `{ "names": [] }`, or of none. @throws InvalidRequest */
export function namesOf(body: unknown): readonly string[] {
  const { names = [] } = only(['names'], body, 'the body may only be { "names": [ … ] }');
  const all: readonly unknown[] | undefined = Array.isArray(names) ? names : undefined;
  if (all && all.length <= MOST_NAMES && all.every(isName)) return all;
  throw new InvalidRequest('the body may only be { "names": [ … ] } with names of this task’s credentials');
}

/** What a body `{ "rows": 100, "bytes": 2048 }` says was used; at least one of the two. @throws InvalidRequest */
export function usageOf(body: unknown): UsageReport {
  const said = only(['rows', 'bytes'], body, USAGE);
  const { rows = 0, bytes = 0 } = said;
  if (Object.keys(said).length > 0 && isCount(rows) && isCount(bytes)) return { rows, bytes };
  throw new InvalidRequest(USAGE);
}

/** A query or body that has to be empty. @throws InvalidRequest */
export const nothing = (sent: unknown): unknown => only([], sent, 'this call takes no query and no body');

function only(known: readonly string[], sent: unknown, sentence: string): Readonly<Record<string, unknown>> {
  if (sent === undefined || sent === null) return {};
  if (typeof sent !== 'object' || Array.isArray(sent)) throw new InvalidRequest(sentence);
  if (Object.keys(sent).some((key) => !known.includes(key))) throw new InvalidRequest(sentence);
  return sent as Readonly<Record<string, unknown>>;
}

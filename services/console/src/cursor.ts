/**
 * Where a list goes on.
 * @module
 */
import { InvalidRequest } from '@mayfly/domain';
import type { Grant } from '@mayfly/grant';

/** The place after a grant. */
export interface Place {
  readonly openedAt: Date;
  readonly id: string;
}

/** Opaque text for the place after this grant. It only says where to go on: what may be seen there is decided by who asks, and for what. */
export const cursorAfter = ({ openedAt, id }: Pick<Grant, 'openedAt' | 'id'> | Place): string =>
  Buffer.from(`${openedAt.toISOString()} ${id}`).toString('base64url');

const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (g[a-z2-7]{20})$/;

/** @throws InvalidRequest when it is not one of ours */
export function readCursor(cursor: string): Place {
  const [, at = '', id = ''] = FORM.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  const openedAt = new Date(at);
  // One text per place: what is not written as we write it is not ours.
  if (Number.isNaN(openedAt.getTime()) || cursorAfter({ openedAt, id }) !== cursor)
    throw new InvalidRequest('cursor is not one that this API gave; leave it out to begin at the newest');
  return { openedAt, id };
}

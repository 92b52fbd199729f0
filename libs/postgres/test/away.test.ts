import { describe, expect, test } from '@jest/globals';
import { isAway } from '@mayfly/postgres';

const withCode = (code: string): Error => Object.assign(new Error('hunter2'), { code });

describe('the database is away', () => {
  test.each([
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT'],
    ...['08000', '08006', '08P01', '53300', '53200', '57P01', '57P02', '57P03', '58030', '25006', '40001', '40P01'],
  ])('by code %s', (code) => {
    expect(isAway(withCode(code))).toBe(true);
  });

  test.each([
    'timeout exceeded when trying to connect',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'Client has encountered a connection error and is not queryable',
  ])('when the driver says “%s”', (message) => {
    expect(isAway(new Error(message))).toBe(true);
  });
});

describe('the statement was wrong, and no waiting helps', () => {
  test.each(['23505', '23503', '42601', '42501', '22P02', '57014', '25001', '28P01', '3D000'])('by code %s', (code) => {
    expect(isAway(withCode(code))).toBe(false);
  });

  test.each([[undefined], [null], ['ECONNREFUSED'], [{ code: 'ECONNREFUSED' }], [new TypeError('x is not a function')]])(
    'or it is no error of the database at all: %p',
    (thrown) => {
      expect(isAway(thrown)).toBe(false);
    },
  );
});

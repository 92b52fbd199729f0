import { describe, expect, test } from '@jest/globals';
import { BadConfig } from '@mayfly/domain';
import { BASE, readSettings, VAULT } from '@mayfly/service';

const GOOD = {
  HTTP_PORT: '8080',
  KAFKA_BROKERS: 'a:9092, b:9092',
  DATABASE_URL: 'postgres://mayfly:hunter2@127.0.0.1/mayfly',
  VAULT_ADDR: 'http://127.0.0.1:8200',
  VAULT_JWT_FILE: '/run/svid',
  VAULT_ROLE: 'mayfly-issuer',
};
const read = (env: NodeJS.ProcessEnv) => readSettings({ ...BASE, ...VAULT }, env);
const refusal = (env: NodeJS.ProcessEnv): Error => {
  try {
    read(env);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not refused');
};

describe('settings', () => {
  test('are read into what the code means, with defaults, and frozen', () => {
    const settings = read({ ...GOOD, SOMETHING_ELSE: 'ignored' });
    expect(settings).toEqual({
      ...GOOD,
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 8080,
      KAFKA_BROKERS: ['a:9092', 'b:9092'],
      KAFKA_TOPIC_PREFIX: 'mayfly',
      LOG_LEVEL: 'info',
      VAULT_AUTH_MOUNT: 'jwt',
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  test('that are missing are all named at once', () => {
    const { message } = refusal({});
    for (const key of Object.keys(GOOD)) expect(message).toContain(key);
    expect(message).not.toContain('VAULT_AUTH_MOUNT');
  });

  test.each<[string, string]>([
    ['HTTP_PORT', 'hunter2'],
    ['HTTP_PORT', '65536'],
    ['HTTP_PORT', '1.5'],
    ['KAFKA_BROKERS', ''],
    ['KAFKA_TOPIC_PREFIX', 'hunter2/../x'],
    ['VAULT_ADDR', 'hunter2'],
    ['VAULT_ADDR', 'file:///hunter2'],
    ['LOG_LEVEL', 'hunter2'],
    ['DATABASE_URL', ''],
  ])('%s=%p is refused by its key, and no value is repeated', (key, value) => {
    const error = refusal({ ...GOOD, [key]: value });
    expect(error).toBeInstanceOf(BadConfig);
    expect(error.message).toContain(key);
    expect(`${error.message}${error.stack}`).not.toContain('hunter2');
    for (const other of Object.keys(GOOD).filter((name) => name !== key)) expect(error.message).not.toContain(other);
  });
});

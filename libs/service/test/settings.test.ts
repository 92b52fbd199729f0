import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BadConfig } from '@mayfly/domain';
import { BASE, readSettings, VAULT } from '@mayfly/service';
import { z } from 'zod';

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
      VAULT_MAX_IN_FLIGHT: 32,
      KAFKA_BROKERS: ['a:9092', 'b:9092'],
      KAFKA_TOPIC_PREFIX: 'mayfly',
      LOG_LEVEL: 'info',
      MAYFLY_PROFILE: 'production',
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
    ['DATABASE_URL', 'postgres://hunter2:@127.0.0.1/mayfly'],
    ['MAYFLY_PROFILE', 'hunter2'],
    ['MAYFLY_PROFILE', ''],
  ])('%s=%p is refused by its key, and no value is repeated', (key, value) => {
    const error = refusal({ ...GOOD, [key]: value });
    expect(error).toBeInstanceOf(BadConfig);
    expect(error.message).toContain(key);
    expect(`${error.message}${error.stack}`).not.toContain('hunter2');
    for (const other of Object.keys(GOOD).filter((name) => name !== key)) expect(error.message).not.toContain(other);
  });
});

describe('settings that would have no effect', () => {
  test.each([
    ['[bad 78] misspelt', 'VAULT_JWT_FIEL', 'VAULT_JWT_FILE'],
    ['[bad 78] a letter short', 'KAFKA_BROKER', 'KAFKA_BROKERS'],
    ['[bad 78] a letter more', 'LOG_LEVELL', 'LOG_LEVEL'],
    ['[bad 78] in small letters', 'log_level', 'LOG_LEVEL'],
    ['[bad 78] two letters swapped', 'HTTP_PROT', 'HTTP_PORT'],
  ])('are refused, with what was meant: %s', (_, name, meant) => {
    expect(refusal({ ...GOOD, [name]: 'hunter2' }).message).toBe(`${name} is no setting of Mayfly; did you mean ${meant}?`);
  });

  test('[bad 78] with the prefix of Mayfly or of what it talks to are refused; what belongs to others is not', () => {
    const { message } = refusal({ ...GOOD, MAYFLY_TTL: '1', VAULT_SKIP_VERIFY: 'true', KAFKA_SSL: 'x' });
    expect(message).toMatch(/MAYFLY_TTL is no setting.*VAULT_SKIP_VERIFY is no setting.*KAFKA_SSL is no setting/);
    const theirs = {
      HTTP_PROXY: 'http://proxy',
      KAFKA_SERVICE_HOST: '10.0.0.1',
      VAULT_PORT: 'tcp://10.0.0.1:8200',
      VAULT_PORT_8200_TCP_ADDR: '10.0.0.1',
      MAYFLY_ISSUER_SERVICE_PORT_HTTP: '8481',
      OTEL_SERVICE_NAME: 'x',
    };
    expect(() => read({ ...GOOD, ...theirs, MAYFLY_SERVICE: 'issuer', MAYFLY_TRUST_FILE: '/trust' })).not.toThrow();
  });
});

describe('files that settings name', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mayfly-settings-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const withFile = (key: string, content: string, mode: number) => {
    const file = join(folder, 'file');
    writeFileSync(file, content);
    chmodSync(file, mode);
    return { ...GOOD, [key]: file };
  };

  test.each([
    ['[bad 78] an identity that everybody may read', 'VAULT_JWT_FILE', 'jwt', 0o644, /everybody may read the file of VAULT_JWT_FILE.*0600/],
    ['[bad 78] an identity that everybody may write', 'VAULT_JWT_FILE', 'jwt', 0o602, /VAULT_JWT_FILE/],
    ['[bad 78] an empty identity', 'VAULT_JWT_FILE', '', 0o600, /VAULT_JWT_FILE is empty/],
    ['[bad 78] trust that everybody may write', 'MAYFLY_TRUST_FILE', '{}', 0o666, /everybody may write the file of MAYFLY_TRUST_FILE/],
  ])('are refused: %s', (_, key, content, mode, message) => {
    const env = withFile(key, content, mode);
    expect(() => readSettings({ ...BASE, ...VAULT, MAYFLY_TRUST_FILE: z.string().optional() }, env)).toThrow(message);
  });

  test('are good when they are their owner’s, and may come later', () => {
    expect(() => read(withFile('VAULT_JWT_FILE', 'jwt', 0o600))).not.toThrow();
    expect(() => read({ ...GOOD, VAULT_JWT_FILE: join(folder, 'not-yet') })).not.toThrow();
  });
});

describe('production', () => {
  test.each([
    ['[bad 79] a Vault over plain HTTP', { VAULT_ADDR: 'http://vault:8200' }, 'VAULT_ADDR must be https'],
    ['[bad 79] failpoints', { MAYFLY_FAILPOINTS: '/tmp/failpoints' }, 'MAYFLY_FAILPOINTS is for crash tests'],
  ])('refuses to start with %s, whatever NODE_ENV says', (_, unsafe, why) => {
    for (const NODE_ENV of ['production', 'development', undefined])
      expect(refusal({ ...GOOD, ...unsafe, NODE_ENV }).message).toBe(`${why}, unless MAYFLY_PROFILE=dev`);
    expect(() => read({ ...GOOD, ...unsafe, MAYFLY_PROFILE: 'dev' })).not.toThrow();
  });
});

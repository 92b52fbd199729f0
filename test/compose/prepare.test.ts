import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCompose, repoFile } from './compose-file.js';

const home = mkdtempSync(join(tmpdir(), 'mayfly-compose-'));
const prepare = () =>
  execFileSync(process.execPath, [fileURLToPath(new URL('../../deploy/compose/prepare.mjs', import.meta.url)), home], { encoding: 'utf8' });
const { services, configs, secrets } = readCompose();
const here = (path: string): string => join(home, path.replace(/^(\.\/)?\.mayfly\/compose/, ''));
const contents = () =>
  Object.fromEntries(readdirSync(join(home, 'secrets')).map((name) => [name, readFileSync(join(home, 'secrets', name), 'base64')]));
let said: string;

beforeAll(() => {
  said = prepare();
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('deploy/compose/prepare.mjs', () => {
  test('says how to go on', () => {
    expect(said).toMatch(/^docker compose --env-file .*compose\.env up --build --wait\n$/);
    expect(readFileSync(join(home, 'compose.env'), 'utf8')).toMatch(/^MAYFLY_UID=[1-9]\d*\nMAYFLY_GID=\d+\n$/);
  });

  test('makes every file and folder that docker-compose.yml mounts and the repository does not have', () => {
    const files = [...Object.values(configs), ...Object.values(secrets)].map(({ file }) => file);
    const folders = Object.values(services).flatMap(({ volumes }) => volumes.map((volume) => volume.split(':')[0] as string));
    for (const path of [...files, ...folders]) {
      const place = path.includes('.mayfly/compose') ? here(path) : fileURLToPath(new URL(`../../${path}`, import.meta.url));
      expect([path, existsSync(place)]).toEqual([path, true]);
    }
  });

  test('lets one user only read what it makes', () => {
    for (const path of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
      expect([path, statSync(join(home, path)).mode & 0o077]).toEqual([path, 0]);
    }
  });

  test('a second run changes no secret', () => {
    const before = contents();
    prepare();
    expect(contents()).toEqual(before);
  });

  test('makes a password for each database role, and another one for each', () => {
    const made = JSON.parse(readFileSync(here('.mayfly/compose/secrets/database_roles.json'), 'utf8')) as Record<string, string>;
    const list = repoFile('deploy/postgres/roles.sql').match(/ARRAY\[([\s\S]*?)\]/)?.[1] ?? '';
    expect(Object.keys(made).sort()).toEqual([...list.matchAll(/'(\w+)'/g)].map(([, role]) => role).sort());
    expect(new Set(Object.values(made)).size).toBe(Object.keys(made).length);
  });
});

import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { GRANT_TRANSITIONS, LEASE_TRANSITIONS } from '@mayfly/grant';
import { doc } from './markdown.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
type Operation = {
  operationId: string;
  tags: string[];
  responses: Record<string, unknown>;
  parameters?: { $ref?: string; name?: string }[];
};
type Path = Partial<Record<(typeof METHODS)[number], Operation>> & { parameters?: { $ref: string }[] };
type Components = { schemas: Record<string, { enum?: string[]; properties?: Record<string, { enum?: string[] }> }> };
const text = doc('docs/openapi.yaml');
const api = parse(text) as { openapi: string; paths: Record<string, Path>; components: Components };

const operations = Object.entries(api.paths).flatMap(([path, item]) =>
  METHODS.flatMap((method) => (item[method] ? [[`${method} ${path}`, item[method]] as const] : [])),
);

/** Routes as the controllers declare them. */
function routes(): string[] {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const files = [...globSync('services/*/src/**/*controller*.ts', { cwd: root }), 'libs/http/src/health.ts'];
  return files.flatMap((file) => {
    const source = readFileSync(`${root}${file}`, 'utf8');
    const base = source.match(/@Controller\('([^']*)'\)/)?.[1] ?? '';
    return [...source.matchAll(/@(Get|Post|Put|Patch|Delete)\((?:'([^']*)')?\)/g)].map(([, method = '', path = '']) =>
      `${method.toLowerCase()} /${[base, path].filter((part) => part !== '').join('/')}`.replace(/:(\w+)/g, '{$1}'),
    );
  });
}

describe('docs/openapi.yaml', () => {
  test('has every route that the services have, and no other', () => {
    expect(operations.map(([name]) => name).sort()).toEqual(routes().sort());
  });

  test('every reference leads somewhere', () => {
    for (const [, pointer] of text.matchAll(/\$ref: '#\/([^']+)'/g)) {
      const found = (pointer as string).split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], api);
      expect([pointer, typeof found]).toEqual([pointer, 'object']);
    }
  });

  test.each(operations)('%s has an answer, a tag, an id of its own and its path parameters', (name, { operationId, tags, responses }) => {
    expect(operations.filter(([, other]) => other.operationId === operationId)).toHaveLength(1);
    expect(tags).toHaveLength(1);
    expect(Object.keys(responses)[0]).toMatch(/^20\d$/);
    const asked = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => `#/components/parameters/${parameter}`);
    expect((api.paths[name.split(' ')[1] as string]?.parameters ?? []).map(({ $ref }) => $ref)).toEqual(asked);
  });

  test('knows the states of grants and leases', () => {
    const reached = (pairs: readonly (readonly [string, string])[]) => [...new Set(pairs.map(([, to]) => to))].sort();
    const { GrantState, LeaseState } = api.components.schemas;
    expect([...(GrantState?.enum ?? [])].sort()).toEqual(reached(GRANT_TRANSITIONS));
    expect([...(LeaseState?.enum ?? [])].sort()).toEqual(reached(LEASE_TRANSITIONS));
  });

  test('knows every problem that a request can meet', () => {
    const codes = [...doc('libs/domain/src/errors.ts').matchAll(/super\('([a-z-]+)'/g)].map(([, code]) => code as string);
    const known = api.components.schemas['Problem']?.properties?.['code']?.enum ?? [];
    expect(codes.filter((code) => code !== 'bad-config' && !known.includes(code))).toEqual([]);
  });
});

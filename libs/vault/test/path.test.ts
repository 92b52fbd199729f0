import { describe, expect, it } from '@jest/globals';
import { fillPath } from '../src/path.js';

describe('a path', () => {
  it('is its template with the names filled in', () => {
    expect(fillPath('database/creds/{role}', { role: 'orders-read' })).toBe('database/creds/orders-read');
    expect(fillPath('kv/data/{+path}', { path: 'reports/daily' })).toBe('kv/data/reports/daily');
    expect(fillPath('pki/cert/{serial}', { serial: '24:fa:a0' })).toBe('pki/cert/24:fa:a0');
  });

  it.each([
    '..',
    '.',
    '../x',
    'a/../b',
    'a..b',
    'a/b',
    '/a',
    'a/',
    '',
    'a%2Fb',
    'a%2e%2e',
    'a?x',
    'a#x',
    'a b',
    'a\nb',
    'a\\b',
    '*',
    'a&#x2F;b',
    '{role}',
    'é',
  ])('[bad 68] never holds %j as one segment', (role) => {
    expect(() => fillPath('database/creds/{role}', { role })).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });

  it.each(['../x', 'a/../b', 'a//b', '/a', 'a/', '', 'a/%2e%2e/b', 'a/./b'])('[bad 68] never climbs by %j', (path) => {
    expect(() => fillPath('kv/data/{+path}', { path })).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });

  it('is not sent with a name missing, and the error does not repeat what was given', () => {
    expect(() => fillPath('a/{b}')).toThrow('a/{b}');
    expect(() => fillPath('a/{b}', { b: '../secret' })).not.toThrow(/secret/);
  });
});

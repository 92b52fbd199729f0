import { expect, test } from '@jest/globals';
import { sameUrl } from '../src/same-url.js';

const URL = 'https://a.example/v1/x';

test.each<[string, string]>([
  [URL, URL],
  ['HTTPS://A.Example:443/v1/x', URL],
  ['https://a.example/v1/y/../x', URL],
  ['https://a.example/v1/./x', URL],
  ['https://a.example/%76%31/%78', URL],
  ['https://a.example', 'https://a.example/'],
  ['http://a.example:80/', 'http://a.example/'],
  ['http://127.0.0.1:8080/a%2fb', 'http://127.0.0.1:8080/a%2Fb'],
  ['https://a.example/%7e%2D%2e_', 'https://a.example/~-._'],
])('%s is %s', (text, url) => {
  expect(sameUrl(text, url)).toBe(true);
  expect(sameUrl(url, text)).toBe(true);
});

test.each<[string, string]>([
  ['https://a.example/v1/x/', URL],
  ['https://a.example/V1/x', URL],
  ['https://a.example//v1/x', URL],
  ['http://a.example/v1/x', URL],
  ['https://a.example:8443/v1/x', URL],
  ['https://a.example.evil/v1/x', URL],
  ['https://a.example/a%2Fb', 'https://a.example/a/b'],
  ['https://a.example/a%2561', 'https://a.example/a%61'],
])('%s is not %s', (text, url) => {
  expect(sameUrl(text, url)).toBe(false);
  expect(sameUrl(url, text)).toBe(false);
});

test.each([
  'https://a.example/?',
  'https://a.example/?q',
  'https://a.example/#',
  ' https://a.example/',
  'https://a.example/\n',
  'https:\\\\a.example\\',
  'https://user@a.example/',
  'https://:word@a.example/',
  'https://user:word@a.example/',
  'ftp://a.example/',
  'httpx://a.example/',
  'xhttp://a.example/',
  'file:///v1/x',
  '/v1/x',
  'a.example/v1/x',
  '',
])('%j is the address of no request, so not even its own', (text) => {
  expect(sameUrl(text, text)).toBe(false);
  expect(sameUrl(text, URL)).toBe(false);
  expect(sameUrl(URL, text)).toBe(false);
});

test('two texts that are no addresses are not the same address', () => {
  expect(sameUrl('/v1/x', 'no address')).toBe(false);
});

/**
 * Two spellings of one address (RFC 3986, 6.2.2 and 6.2.3).
 * @module
 */

/** True when the text is a plain http(s) URL without query, fragment or user, and the same as the other one. */
export function sameUrl(text: string, url: string): boolean {
  const normal = normalOf(text);
  return normal !== undefined && normal === normalOf(url);
}

/** Scheme and host in lower case, no default port, no dot segments; each octet spelt in one way. */
function normalOf(text: string): string | undefined {
  if (/[?#\s\\]/.test(text) || !URL.canParse(text)) return undefined;
  const { href, protocol, username, password } = new URL(text);
  if (!['http:', 'https:'].includes(protocol) || username !== '' || password !== '') return undefined;
  return href.replace(/%[0-9a-f]{2}/gi, (octet) => {
    const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : octet.toUpperCase();
  });
}

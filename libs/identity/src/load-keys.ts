/**
 * Gets a set of public keys from a file or a URL.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { KeySource } from './trust.js';

/** As the global `fetch`; tests and proxies bring their own. */
export type Fetch = typeof globalThis.fetch;

const TIMEOUT_MILLISECONDS = 5_000;
const MAX_BYTES = 524_288;

const form = z.looseObject({
  keys: z.array(z.looseObject({ kty: z.string() })).max(100),
  spiffe_refresh_hint: z.number().positive().optional().catch(undefined),
});

/** A JWK set or SPIFFE bundle, not yet sorted out. */
export type RawKeys = z.infer<typeof form>;

/**
 * Reads keys from where they are. Only a plain 200 counts: a redirect could lead anywhere.
 * @throws Error when they cannot be had or are no key set
 */
export async function loadKeys(source: KeySource, fetch: Fetch): Promise<RawKeys> {
  const bytes = 'file' in source ? await readFile(source.file) : await download(source.url, fetch);
  return form.parse(JSON.parse(String(bytes)));
}

async function download(url: string, fetch: Fetch): Promise<Buffer> {
  const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Error(`the key endpoint answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error('the key endpoint sends too much');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

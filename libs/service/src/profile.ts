/**
 * Where a process runs: for real, or on a developer's machine, where what makes it convenient would be a hole elsewhere.
 * @module
 */

/** The profiles; whoever says nothing runs for real. */
export const PROFILES = ['production', 'dev'] as const;
/** Where a process runs. */
export type Profile = (typeof PROFILES)[number];

/** What a process in the dev profile says of itself, loudly. */
export const DEV_WARNING =
  'DEV PROFILE: plain HTTP, example trust domains and failpoints are accepted; never run real credentials like this (MAYFLY_PROFILE=dev)';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Settings that only the dev profile takes, as sentences. Plain HTTP to this machine is how a Vault agent is reached. */
export function refusedInProduction(settings: Readonly<Record<string, unknown>>): string[] {
  const { VAULT_ADDR: vault, MAYFLY_FAILPOINTS: failpoints } = settings;
  const url = typeof vault === 'string' ? new URL(vault) : undefined;
  return [
    ...(url && url.protocol !== 'https:' && !LOOPBACK.includes(url.hostname) ? ['VAULT_ADDR must be https'] : []),
    ...(failpoints !== undefined ? ['MAYFLY_FAILPOINTS is for crash tests'] : []),
  ].map((sentence) => `${sentence}, unless MAYFLY_PROFILE=dev`);
}

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

/**
 * Settings that only the dev profile takes, or can do without, as sentences. Plain HTTP to this machine is how a Vault agent is reached.
 * @param known names of the settings that this process has
 */
export function refusedInProduction(settings: Readonly<Record<string, unknown>>, known: readonly string[]): string[] {
  const { MAYFLY_FAILPOINTS: failpoints, MAYFLY_POLICY_SIGNATURES: signatures } = settings;
  return [
    ...['VAULT_ADDR', 'MAYFLY_PDP_URL'].filter((name) => isOpenWire(settings[name])).map((name) => `${name} must be https`),
    ...(failpoints !== undefined ? ['MAYFLY_FAILPOINTS is for crash tests'] : []),
    ...(signatures === 'accepted' ? ['MAYFLY_POLICY_SIGNATURES must be required'] : []),
    ...(known.includes('MAYFLY_POLICY_KEYS_FILE') && settings['MAYFLY_POLICY_KEYS_FILE'] === undefined
      ? ['MAYFLY_POLICY_KEYS_FILE must name the keys that sign policy sets']
      : []),
  ].map((sentence) => `${sentence}, unless MAYFLY_PROFILE=dev`);
}

function isOpenWire(address: unknown): boolean {
  const url = typeof address === 'string' ? new URL(address) : undefined;
  return url !== undefined && url.protocol !== 'https:' && !LOOPBACK.includes(url.hostname);
}

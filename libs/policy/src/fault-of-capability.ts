/**
 * Which combinations of engine, shape and limits make sense.
 * @module
 */
import type { Capability, Compensation } from '@mayfly/domain';
import { shapesOf } from '@mayfly/revocation';

/** Longest life of what nobody can kill early, in seconds: this is the time that it outlives its task at worst. */
const MAX_EXPIRY_ONLY_SECONDS = 300;
/** Longest life of any lease, in seconds: one day. */
const MAX_TTL_SECONDS = 86_400;

/** What can make up for an end that cannot be enforced. Nothing is a choice too, but it has to be said. */
const compensationsOf = ({ engine, shape }: Capability): readonly (Compensation | undefined)[] => {
  if (shape === 'revocable') return [undefined];
  if (shape === 'expiry-only') return engine === 'ssh' ? ['short-life', 'revoked-serials', 'none'] : ['short-life', 'none'];
  return engine === 'kv' ? ['taint', 'none'] : ['none'];
};

const RULES: readonly ((capability: Capability) => string | false)[] = [
  // A catalogue that claims more than ending can mean would make `revoked` a lie.
  ({ engine, shape }) => !shapesOf(engine).includes(shape) && `shape: ${engine} can only be ${shapesOf(engine).join(' or ')}`,
  (capability) => {
    const possible = compensationsOf(capability);
    return !possible.includes(capability.compensation) && `compensation: say one of ${possible.map((one) => one ?? 'nothing').join(', ')}`;
  },
  ({ shape, compensation, maxTtlSeconds }) =>
    shape === 'expiry-only' &&
    compensation !== 'revoked-serials' &&
    maxTtlSeconds > MAX_EXPIRY_ONLY_SECONDS &&
    `maxTtlSeconds: at most ${MAX_EXPIRY_ONLY_SECONDS} where only expiry ends a credential`,
  ({ maxTtlSeconds }) => maxTtlSeconds > MAX_TTL_SECONDS && `maxTtlSeconds: at most ${MAX_TTL_SECONDS}`,
  // A short life would run off unused, and a static secret would gain a second place to leak from.
  ({ shape, mint }) => shape !== 'revocable' && mint === 'on-start' && `mint: must be on-fetch for ${shape} credentials`,
  ({ shape, probe }) => shape !== 'revocable' && probe && `probe: nothing can show that a ${shape} credential is dead`,
  ({ engine, target }) => engine === 'database' && !target && 'target: a database capability names the database it is for',
  ({ engine, parameters }) => engine === 'pki' && !parameters?.['common_name'] && 'parameters: a certificate needs a common_name',
];

/** The first thing that is wrong with a capability, as `key: problem`; undefined for one that makes sense. */
export function faultOfCapability(capability: Capability): string | undefined {
  for (const rule of RULES) {
    const fault = rule(capability);
    if (fault) return fault;
  }
  return undefined;
}

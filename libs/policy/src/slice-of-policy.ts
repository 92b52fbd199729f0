/**
 * Which live tasks one Cedar policy can touch, as far as its text says so plainly.
 * @module
 */
import { policyToJson, type PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { scopeOfPolicy, type Uid } from './scope-of-policy.js';
import type { Affected, Slice } from './slice.js';

/** Live grants are decided again by this action; what is asked at each call is decided by the current set anyway. */
const ACTION = 'fetch';
/** And every sub-task by this one, asked about its parent. */
const DELEGATION = 'delegate';

/** Reads a policy's scope as a slice of all live tasks. What is not understood widens the slice. */
export function sliceOfPolicy(text: string): Affected {
  const read = policyToJson(text);
  if (read.type === 'failure') return 'all';
  const { effect, action } = read.json;
  const { principal, resource, actions, said } = scopeOfPolicy(read.json);
  const [agent, capability] = [named(principal, 'Agent'), named(resource, 'Capability')];
  if (decidesDelegation(effect, action, actions, capability)) return 'all';
  if (action.op === '==' && actions?.[0] !== ACTION) return [];
  if (agent === null || capability === null) return [];
  const slice: Slice = {
    ...(agent !== undefined && { agents: [agent] }),
    ...(capability !== undefined && { capabilities: [capability] }),
    ...said,
  };
  return Object.keys(slice).length === 0 ? 'all' : [slice];
}

/**
 * Whether a sub-task's permits may hang on it, which go with its parent's right to hand work on, whoever does it. What forbids everything
 * takes the parent's own permits, so that the sub-task follows without this.
 */
function decidesDelegation(
  effect: 'permit' | 'forbid',
  { op }: PolicyJson['action'],
  actions: readonly string[] | undefined,
  capability: string | null | undefined,
): boolean {
  if (op === 'All') return effect === 'permit' && typeof capability !== 'string';
  return actions?.includes(DELEGATION) ?? false;
}

/** Null where the scope is about something else. */
const named = (uid: Uid | undefined, type: string): string | null | undefined => uid && (uid.type === `Mayfly::${type}` ? uid.id : null);

/**
 * What every service process is made of.
 * @module
 */
export type { Connections } from './connections.js';
export { runService, type ServiceParts, type ServiceSettings } from './run-service.js';
export { POLICY, policyVoucher, type PolicySettings } from './policy-signers.js';
export { type Profile } from './profile.js';
export { audienceOf, BASE, EVENTS, readSettings, VAULT } from './settings.js';
export { DECIDER, policyReader, type DeciderSettings } from './policy-reader.js';
export { remoteJudge, type RemotePdp } from './remote-judge.js';

/**
 * The systems that credentials open: where they are, and how they are asked whether a credential is dead.
 * @module
 */
export { PostgresProbe } from './postgres-probe.js';
export { grantIdOf, PostgresQuarantine, quarantineAt, quarantinesOf } from './postgres-quarantine.js';
export { readTargets, type Target, type Targets } from './targets-file.js';

/**
 * Ending leases until they are proven dead: the ports, the procedure, the patience. No I/O of its own.
 * @module
 */
export * from './kill.js';
export * from './lanes.js';
export * from './mint-under-way.js';
export * from './orphans.js';
export * from './patience.js';
export type * from './ports.js';
export * from './taint.js';
export type * from './reapers/reaper.js';
export { reaperOf, shapesOf } from './reapers/table.js';

/**
 * The runners of everything that goes on in the background.
 * @module
 */
export { startPool, type Pool, type PoolOptions } from './pool.js';
export { Slots } from './slots.js';
export { together, type TogetherOptions } from './together.js';
export { startWorker, type Worker, type WorkerOptions } from './worker.js';

/**
 * One runner for everything that goes on in the background.
 * @module
 */
export { startWorker, type Worker, type WorkerOptions } from './worker.js';

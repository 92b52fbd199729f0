/**
 * The evidence log's rules: what a record is, how records chain, how a chain is checked. No I/O.
 * @module
 */
export * from './chain.js';
export * from './verify.js';

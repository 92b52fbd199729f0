/**
 * PostgreSQL for Mayfly; the only importer of the driver.
 * @module
 */
export { isAway } from './away.js';
export { openDatabase, type Database, type Row, type Sql } from './database.js';
export type { Listener } from './listen.js';
export { migrate } from './migrate.js';
export type { DatabaseOptions } from './options.js';

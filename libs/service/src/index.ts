/**
 * What every service process is made of.
 * @module
 */
export { BASE, readSettings, VAULT } from './settings.js';

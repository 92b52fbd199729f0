/**
 * Task tokens, secrets engines and revocation in Vault or OpenBao. The only importer of node-vault.
 * @module
 */
export { vaultForDelivery, vaultForIssuer, vaultForReconciler, vaultForRevoker, type VaultHealth, type VaultSettings } from './connect.js';
export { InventoryRefused, MintRefused, RevokeFailed, SealBroken } from './errors.js';
export type { LoginSettings } from './service-session.js';
export { TASK_POLICY } from './task-token-issuer.js';

/**
 * Proof of who asks: workloads by JWT-SVIDs and OIDC tokens, operators by OIDC tokens, orchestrators by what they sign.
 * @module
 */
export { ALGORITHMS } from './compact-jws.js';
export type { CheckedProof, RequestProof } from './check-proof.js';
export type { ProofRegister } from './confirm-holder.js';
export type { Fetch } from './load-keys.js';
export { createOperatorVerifier, ROLES } from './operator-verifier.js';
export type { OperatorIdentity, OperatorVerifier, Role } from './operator-verifier.js';
export { isDevKey, policyKeyForm, publicKeyForm } from './public-key.js';
export type { PolicyKey, PublicKey } from './public-key.js';
export { RefusedToken } from './refused-token.js';
export type { TokenFault } from './refused-token.js';
export { spiffeId } from './spiffe-id.js';
export type { SpiffeId } from './spiffe-id.js';
export { readTrust } from './trust.js';
export type { KeySource, OperatorIssuer, Trust, TrustDomain, WorkloadIssuer } from './trust.js';
export { createWorkloadVerifier } from './workload-verifier.js';
export type { VerifierTools, WorkloadIdentity, WorkloadVerifier } from './workload-verifier.js';
export { openToken, type OpenedToken } from './open-token.js';
export { verifyStatement } from './verify-statement.js';
export type { VerifiedStatement } from './verify-statement.js';

/**
 * What an agent installs: its secrets by task id. No dependencies.
 * @module
 */
export { createAgentClient, type AgentClient, type AgentClientOptions, type TaskCredential, type TaskState } from './agent-client.js';
export { DeliveredSecret, type SecretDocument } from './delivered-secret.js';
export { MayflyProblem, problemOf, type ProblemDetails } from './problem.js';
export type { CallDecision, ToolCall, Usage } from './tool-call.js';

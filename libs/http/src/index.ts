/**
 * What every HTTP service shares.
 * @module
 */
export { bearerToken, presentedToken, type PresentedToken } from './bearer.js';
export { HEALTH, HealthController, type Health, type Liveness } from './health.js';
export { problemOf, ProblemFilter, type Problem } from './problem-filter.js';
export { startHttp, type HttpOptions } from './start-http.js';

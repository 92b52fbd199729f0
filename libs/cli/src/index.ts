/**
 * The `mayfly` command, and the parts of it that the demo plays with.
 * @module
 */
export { thisProcess, type Cli } from './cli.js';
export { proofText } from './describe-event.js';
export { readEndpoints, type Endpoints } from './endpoints.js';
export { main, type ExitCode } from './main.js';
export { signSvid, type Svid, type SvidClaims } from './sign-svid.js';
export { sendTaskEvent, traceUrl, type SentEvent, type TaskEvent } from './task-event.js';
export { tailOutcomes, type Outcome, type TailOptions } from './tail-outcomes.js';

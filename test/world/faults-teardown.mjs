/** Ends the stack that faults-setup.mjs started. */
import { endWorld } from './end-world.mjs';

export default () => endWorld(globalThis.mayflyFaultyWorld);

/** Ends the stack that global-setup.mjs started. */
import { endWorld } from './end-world.mjs';

export default () => endWorld(globalThis.mayflyWorld);

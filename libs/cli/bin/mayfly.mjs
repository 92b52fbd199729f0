#!/usr/bin/env node
/** The `mayfly` command: runs what was built. */
import { existsSync } from 'node:fs';

// Whoever reads us may stop reading (`| head`): that is no fault.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const program = new URL('../dist/index.js', import.meta.url);
if (existsSync(program)) {
  const { main, thisProcess } = await import(program.href);
  process.exitCode = await main(process.argv.slice(2), thisProcess());
} else {
  console.error('mayfly: the command line is not built yet; run npm run build');
  process.exitCode = 1;
}

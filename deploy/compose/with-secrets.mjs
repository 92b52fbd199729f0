/**
 * Docker hands out secrets as files; programs read their environment, where `docker inspect` would show them.
 * `FILE_FOR_<NAME>=/run/secrets/… node with-secrets.mjs PROGRAM [ARGS]` runs the program with `<NAME>` set, in this very process.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const PREFIX = 'FILE_FOR_';

for (const [key, file] of Object.entries(process.env)) {
  if (key.startsWith(PREFIX)) process.env[key.slice(PREFIX.length)] = readFileSync(file, 'utf8').trim();
}

const [node, , program, ...args] = process.argv;
process.argv = [node, resolve(program), ...args];
await import(pathToFileURL(process.argv[1]).href);

/**
 * The dev profile's identity provider (deploy/local/identity.mjs) in a container. It speaks on loopback only, since an example operator's
 * name is its password; here the containers' network is let in as well. Each service gets a folder with its own SVID and no other.
 * Environment: MAYFLY_HOME (its keys are in `keys`), HTTP_PORT, SVID_FOLDER, TRUST_FOLDER.
 */
import { renameSync, writeFileSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { HOST } from '../local/ports.mjs';
import { SERVICES } from '../local/services.mjs';
import { answers, until } from '../local/until.mjs';
import '../local/identity.mjs';

const RENEWAL_MS = 60_000;
const { MAYFLY_HOME: home, SVID_FOLDER: svids, TRUST_FOLDER: trust } = process.env;
const port = Number(process.env.HTTP_PORT);
const provider = `http://${HOST}:${port}`;

/** Whole or not at all, so that nobody reads half of it. */
function put(file, content) {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function handOutSvids() {
  for (const name of [...SERVICES, 'provisioner']) put(join(svids, name, 'svid.jwt'), readFileSync(join(home, 'svid', `${name}.jwt`)));
}

async function publishKeys() {
  for (const [file, path] of Object.entries({ 'bundle.json': '/spiffe/bundle', 'operators.json': '/jwks' })) {
    put(join(trust, file), await (await fetch(`${provider}${path}`)).text());
  }
}

await until(() => answers(`${provider}/healthz`), { what: 'identity', seconds: 30 });
handOutSvids();
await publishKeys();
setInterval(handOutSvids, RENEWAL_MS);

const outward = Object.values(networkInterfaces())
  .flat()
  .filter(({ internal, family }) => !internal && family === 'IPv4');
for (const { address } of outward) {
  createServer((caller) => {
    const inner = connect(port, HOST);
    caller.on('error', () => inner.destroy());
    inner.on('error', () => caller.destroy());
    caller.pipe(inner).pipe(caller);
  }).listen(port, address);
}

/**
 * Who is who in the dev profile, as a process of its own: what SPIRE and a company's identity provider are elsewhere.
 * It keeps the SVID files of Mayfly's own services fresh and serves the agents' SPIFFE bundle and the operators' OIDC issuer.
 * Environment: MAYFLY_HOME, HTTP_PORT.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { ensureKeys, publicJwk, sign } from './keys.mjs';
import { layout } from './layout.mjs';
import { HOST } from './ports.mjs';
import { OPERATORS } from './operators.mjs';
import { SERVICES } from './services.mjs';
import { TRUST_DOMAIN } from './trust-domain.mjs';

const HOUR = 3600;
const SVID_RENEWAL_MS = 20 * 60_000;
const BUNDLE_REFRESH_HINT_SECONDS = 30;
const BODY_LIMIT = 10_000;

const dirs = layout(process.env.MAYFLY_HOME);
const port = Number(process.env.HTTP_PORT);
const issuer = `http://${HOST}:${port}`;

/** Replaces each service's SVID whole, so that a reader never sees half of one. */
async function writeSvids() {
  for (const service of [...SERVICES, 'provisioner']) {
    const claims = { sub: `spiffe://${TRUST_DOMAIN}/mayfly/${service}`, aud: 'vault' };
    const file = join(dirs.svid, `${service}.jwt`);
    writeFileSync(`${file}.new`, await sign({ keys: dirs.keys, name: 'services', claims, seconds: HOUR }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}

/** OAuth 2.0 password grant. A wrong name and a wrong password look alike. */
async function token(form) {
  if (form.get('grant_type') !== 'password') return [400, { error: 'unsupported_grant_type' }];
  const name = form.get('username');
  if (!Object.hasOwn(OPERATORS, name) || form.get('password') !== name) return [400, { error: 'invalid_grant' }];
  const claims = { iss: issuer, sub: name, preferred_username: name, roles: OPERATORS[name], aud: 'mayfly-console' };
  const jwt = await sign({ keys: dirs.keys, name: 'operators', claims, seconds: HOUR });
  return [200, { access_token: jwt, id_token: jwt, token_type: 'Bearer', expires_in: HOUR }];
}

const routes = {
  'GET /healthz': () => [200, { status: 'ok' }],
  'GET /.well-known/openid-configuration': () => [
    200,
    {
      issuer,
      jwks_uri: `${issuer}/jwks`,
      token_endpoint: `${issuer}/token`,
      grant_types_supported: ['password'],
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    },
  ],
  'GET /jwks': () => [200, { keys: [publicJwk(dirs.keys, 'operators', 'sig')] }],
  'GET /spiffe/bundle': () => [
    200,
    {
      spiffe_sequence: 1,
      spiffe_refresh_hint: BUNDLE_REFRESH_HINT_SECONDS,
      keys: [publicJwk(dirs.keys, 'agents', 'jwt-svid')],
    },
  ],
  'POST /token': async (request) => token(new URLSearchParams(await body(request))),
};

/** Noted, because how often somebody asks for keys is something that nobody else sees. */
const PUBLISHES_KEYS = new Set(['GET /jwks', 'GET /spiffe/bundle']);

async function body(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > BODY_LIMIT) throw new Error('body too large');
  }
  return text;
}

async function answer(request) {
  const name = `${request.method} ${request.url.split('?')[0]}`;
  const route = routes[name];
  if (PUBLISHES_KEYS.has(name)) console.log(JSON.stringify({ msg: 'keys were asked for', at: Date.now(), route: name }));
  try {
    return route ? await route(request) : [404, { error: 'not_found' }];
  } catch {
    return [400, { error: 'invalid_request' }];
  }
}

await ensureKeys(dirs.keys);
await writeSvids();
setInterval(writeSvids, SVID_RENEWAL_MS);

const server = createServer(async (request, response) => {
  const [status, content] = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(content));
});
server.listen(port, HOST, () => console.log(JSON.stringify({ msg: 'listening', issuer })));
process.once('SIGTERM', () => process.exit(0));

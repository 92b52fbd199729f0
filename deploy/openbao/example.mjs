/**
 * What the worked example needs in OpenBao or Vault: a list of writes in order, as data. The runner is provision.mjs.
 * `unless`: a path; the write is skipped when that path already answers. All other writes are repeated at every start and change nothing then.
 */
import { createUser, revokeUser } from './orders-statements.mjs';

const TRUST_DOMAIN = 'example.org';

/** Mayfly's services that may do anything in Vault. `drift` and `console` are not among them on purpose. */
export const SERVICES = ['issuer', 'delivery', 'revoker', 'evidence'];

const mount = (path, type, data = {}) => ({ path: `sys/mounts/${path}`, unless: `sys/mounts/${path}`, data: { type, ...data } });
const transitKey = (name, data) => ({ path: `transit/keys/${name}`, unless: `transit/keys/${name}`, data });

const mounts = [
  mount('database', 'database'),
  mount('kv', 'kv', { options: { version: '2' } }),
  mount('pki', 'pki', { config: { max_lease_ttl: '87600h' } }),
  mount('ssh', 'ssh'),
  mount('transit', 'transit'),
];

/** A service proves itself with its JWT-SVID and gets one policy for 20 minutes, never `default`. */
const login = (role, service) => ({
  path: `auth/jwt/role/mayfly-${role}`,
  data: {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_subject: `spiffe://${TRUST_DOMAIN}/mayfly/${service}`,
    bound_audiences: ['vault'],
    clock_skew_leeway: 30,
    expiration_leeway: 30,
    not_before_leeway: 30,
    token_policies: [`mayfly-${role}`],
    token_no_default_policy: true,
    token_ttl: '20m',
    token_max_ttl: '20m',
  },
});
const serviceLogins = [
  ...SERVICES.map((service) => login(service, service)),
  // The revoker's second role: what may list may end nothing, and what may end may not list (docs/adr/0009).
  login('reconciler', 'revoker'),
];

/**
 * What the issuer may create: orphans that nobody renews, with nothing but `cap-…` policies. The server's `max_lease_ttl` bounds their life;
 * a bound here as well would put a warning on every answer, and a warning counts as a failure.
 */
const taskTokenRole = {
  path: 'auth/token/roles/mayfly-task',
  data: {
    allowed_policies_glob: ['cap-*'],
    orphan: true,
    renewable: false,
    token_type: 'service',
    token_no_default_policy: true,
  },
};

const databaseRole = (name, group) => ({
  path: `database/roles/${name}`,
  data: {
    db_name: 'orders',
    creation_statements: createUser(group),
    revocation_statements: revokeUser,
    default_ttl: '15m',
    max_ttl: '70m', // above the catalogue's hour: Vault counts from the making, and would cut a renewal to a full hour short
    // A write changes only the fields that it names (unlike one of a PKI or SSH role), and a second one is to bring everything back.
    rollback_statements: [],
    renew_statements: [],
  },
});

const database = ({ host, port, user, password }) => [
  {
    path: 'database/config/orders',
    data: {
      plugin_name: 'postgresql-database-plugin',
      allowed_roles: ['orders-read', 'orders-write', 'orders-owner'],
      connection_url: `postgresql://{{username}}:{{password}}@${host}:${port}/orders?sslmode=prefer`,
      max_open_connections: 8,
      username: user,
      password,
      // `token-<grant id>-<8 random>`: 36 of the 63 bytes that PostgreSQL keeps of a name, and the grant can be read off it.
      username_template: '{{ .DisplayName }}-{{ random 8 | lowercase }}',
    },
  },
  databaseRole('orders-read', 'orders_reader'),
  databaseRole('orders-write', 'orders_writer'),
  databaseRole('orders-owner', 'orders_owner'),
];

const certificates = ({ address }) => [
  {
    path: 'pki/root/generate/internal',
    unless: 'pki/issuers?list=true',
    data: { common_name: 'Mayfly example root', issuer_name: 'root', key_type: 'ec', key_bits: 256, ttl: '87600h' },
  },
  {
    path: 'pki/config/urls',
    data: { issuing_certificates: [`${address}/v1/pki/ca`], crl_distribution_points: [`${address}/v1/pki/crl`] },
  },
  {
    path: 'pki/roles/service',
    data: {
      allowed_domains: ['svc.example.org'],
      allow_subdomains: true,
      allow_bare_domains: false,
      allow_wildcard_certificates: false,
      allow_localhost: false,
      allow_ip_sans: false,
      key_type: 'ec',
      key_bits: 256,
      // With a lease a certificate is revoked like every other secret, and then stands on the revocation list.
      generate_lease: true,
      ttl: '15m',
      max_ttl: '70m',
    },
  },
];

const sshCertificates = [
  { path: 'ssh/config/ca', unless: 'ssh/config/ca', data: { generate_signing_key: true, key_type: 'ed25519' } },
  {
    path: 'ssh/roles/bastion',
    data: {
      key_type: 'ca',
      allow_user_certificates: true,
      allowed_users: 'mayfly',
      default_user: 'mayfly',
      default_extensions: { 'permit-pty': '' },
      // The target's own log then names the grant.
      allow_user_key_ids: false,
      key_id_format: '{{token_display_name}}-{{public_key_hash}}',
      // Nobody can revoke an SSH certificate, so it is short.
      ttl: '300s',
      max_ttl: '300s',
    },
  },
];

const transitKeys = [
  transitKey('payload', { type: 'aes256-gcm96' }),
  transitKey('mayfly-task-token', { type: 'aes256-gcm96', derived: true }),
  transitKey('mayfly-evidence', { type: 'ed25519' }),
];

const storedObjects = [
  {
    path: 'kv/data/reports/daily',
    unless: 'kv/metadata/reports/daily',
    data: { options: { cas: 0 }, data: { endpoint: 'https://reports.svc.example.org', apiKey: 'example-only-reports-key' } },
  },
];

/**
 * All writes, in order.
 * @param settings `{ address, policies: { name: text }, orders: { host, port, user, password } }`
 */
export const writes = ({ address, policies, orders }) => [
  ...mounts,
  ...Object.entries(policies).map(([name, policy]) => ({ path: `sys/policies/acl/${name}`, data: { policy } })),
  ...serviceLogins,
  taskTokenRole,
  ...transitKeys,
  ...database(orders),
  ...certificates({ address }),
  ...sshCertificates,
  ...storedObjects,
];

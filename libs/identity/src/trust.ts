/**
 * Whom a service trusts to vouch for identities: the file that `MAYFLY_TRUST_FILE` names.
 * @module
 */
import { BadConfig } from '@mayfly/domain';
import { z } from 'zod';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Keys that travel unprotected could be anybody's: plain HTTP is for this machine only. */
const secureUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username || url.password || url.hash) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.includes(url.hostname));
}, 'must be https without credentials or fragment, or http on this machine');

const source = z.union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ url: secureUrl })], 'must have either file or url');
const name = z.string().min(1).max(200);

const form = z.strictObject({
  audience: name.default('mayfly'),
  trustDomains: z.array(z.strictObject({ name: z.string().regex(/^[a-z0-9._-]{1,255}$/), bundle: source })).default([]),
  workloadIssuers: z
    .array(
      z.strictObject({ issuer: secureUrl, jwks: source, subject: name.regex(/^[^*]*\*?$/, 'may have one * at its end').exactOptional() }),
    )
    .default([]),
  operators: z.strictObject({ issuer: secureUrl, jwks: source, audience: name, rolesClaim: name.default('roles') }).exactOptional(),
});

/** Where a set of public keys is: a file, read again when it may have changed, or a URL. */
export type KeySource = { readonly file: string } | { readonly url: string };

/** A SPIFFE trust domain, and its bundle. */
export interface TrustDomain {
  readonly name: string;
  readonly bundle: KeySource;
}

/** An OIDC issuer whose tokens prove workloads. */
export interface WorkloadIssuer {
  /** Compared with `iss` character by character. */
  readonly issuer: string;
  readonly jwks: KeySource;
  /** The subject that counts, or what it starts with when it ends in `*`; every subject where it is absent. */
  readonly subject?: string;
}

/** The OIDC issuer whose tokens prove operators. */
export interface OperatorIssuer {
  readonly issuer: string;
  readonly jwks: KeySource;
  readonly audience: string;
  /** Claim that lists the roles; dots lead into objects (`realm_access.roles`). */
  readonly rolesClaim: string;
}

/** Whom a service trusts. */
export interface Trust {
  /** The audience that workloads' tokens must be for. */
  readonly audience: string;
  readonly trustDomains: readonly TrustDomain[];
  readonly workloadIssuers: readonly WorkloadIssuer[];
  readonly operators?: OperatorIssuer;
}

/** Names that stand in examples and tests and belong to nobody (RFC 2606, RFC 6761). */
const RESERVED = /(^|\.)(example(\.(com|net|org))?|test|invalid|localhost)$/;

/**
 * What a trust file may only hold on a developer's machine, as keys: plain HTTP, and trust domains that belong to nobody.
 * @returns an empty list when it is fit for production
 */
export const onlyForDevelopment = ({ trustDomains, workloadIssuers, operators }: Trust): string[] => {
  const isPlain = (url: string): boolean => new URL(url).protocol !== 'https:';
  const plainSource = (source: KeySource): boolean => 'url' in source && isPlain(source.url);
  const issuers: [string, { issuer: string; jwks: KeySource }][] = workloadIssuers.map((each, at) => [`workloadIssuers.${at}`, each]);
  if (operators) issuers.push(['operators', operators]);
  return [
    ...trustDomains.flatMap(({ name, bundle }, at) => [
      ...(RESERVED.test(name) ? [`trustDomains.${at}.name`] : []),
      ...(plainSource(bundle) ? [`trustDomains.${at}.bundle.url`] : []),
    ]),
    ...issuers.flatMap(([key, { issuer, jwks }]) => [
      ...(isPlain(issuer) ? [`${key}.issuer`] : []),
      ...(plainSource(jwks) ? [`${key}.jwks.url`] : []),
    ]),
  ];
};

/**
 * Reads a trust file.
 * @param profile unless it is `dev`, what is {@link onlyForDevelopment} is refused
 * @throws BadConfig that names the keys, never a value
 */
export function readTrust(text: string, profile?: 'production' | 'dev'): Trust {
  const result = orRefuse('a value has the wrong type', () => form.safeParse(orRefuse('is not JSON', (): unknown => JSON.parse(text))));
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'top level'}: ${message}`);
    throw new BadConfig(`trust file, ${problems.join('; ')}`);
  }
  const trust: Trust = result.data;
  checkUnique(
    'trustDomains',
    trust.trustDomains.map((domain) => domain.name),
  );
  checkUnique(
    'workloadIssuers',
    trust.workloadIssuers.map(({ issuer }) => issuer),
  );
  const unfit = profile === 'dev' ? [] : onlyForDevelopment(trust);
  if (unfit.length > 0)
    throw new BadConfig(`trust file, ${unfit.join(', ')}: only MAYFLY_PROFILE=dev takes plain HTTP and example domains`);
  return trust;
}

function orRefuse<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    // zod throws too: it compares the `length` even of what is neither text nor list.
    throw error instanceof BadConfig ? error : new BadConfig(`trust file: ${problem}`);
  }
}

function checkUnique(key: string, names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw new BadConfig(`trust file, ${key}: one name occurs twice`);
}

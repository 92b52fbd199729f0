/**
 * Vault's behaviour in memory, for tests of what stands on it. It keeps the promises of the ports and refuses what a real server refuses;
 * the suite in conformance.ts runs on it and on a real OpenBao.
 */
import { randomBytes } from 'node:crypto';
import {
  plusSeconds,
  Secret,
  systemClock,
  VaultUnavailable,
  type Capability,
  type Clock,
  type LeaseRef,
  type SecretMaterial,
  type TaskId,
} from '@mayfly/domain';
import type { Minted, MintRequest, SecretIssuer, TaskToken, TaskTokenIssuer, TaskTokenOpener, TaskTokenRequest } from '@mayfly/grant';
import type { SecretRevoker, TokenAnswer } from '@mayfly/revocation';
import { MintRefused, RevokeFailed, SealBroken, TASK_POLICY } from '../src/index.js';

interface Token {
  readonly accessor: string;
  readonly parent: string | undefined;
  readonly policies: ReadonlySet<string>;
  readonly expiresAt: Date;
  readonly displayName: string;
  readonly cubbyhole: Map<string, SecretMaterial>;
}

interface Lease {
  readonly token: string;
  readonly principal: string;
}

const EXAMPLE = ['orders-db.read', 'orders-db.write', 'orders-db.owner', 'reports.kv', 'service.cert', 'bastion.ssh', 'payload.key'];
const unguessable = (): string => randomBytes(18).toString('base64url');

export class FakeVault implements TaskTokenIssuer, TaskTokenOpener, SecretIssuer, SecretRevoker {
  /** While true, every call fails as if the server were away. */
  down = false;
  /** While true, revocations are refused, as when the target's database is away. */
  stubborn = false;
  /** What lives at the targets: database users and unrevoked certificates. A fake probe may look here. */
  readonly principals = new Set<string>();
  /** Of every stored object; a rotation makes it one more. */
  storedVersion = 1;
  /** How often each port was asked to create something. */
  readonly counts = { created: 0, minted: 0 };

  readonly #tokens = new Map<string, Token>();
  readonly #leases = new Map<string, Lease>();
  readonly #sealed = new Map<string, { readonly token: string; readonly taskId: string }>();
  readonly #revokedCertificates = new Set<string>();

  constructor(
    private readonly clock: Clock = systemClock,
    private readonly knownPolicies: ReadonlySet<string> = new Set(EXAMPLE.map((name) => `cap-${name}`)),
  ) {}

  async create(request: TaskTokenRequest): Promise<TaskToken> {
    this.#answer();
    const policies = new Set([TASK_POLICY, ...request.policies]);
    const parent = request.parent && this.#live(request.parent);
    const wrong = [...policies].some((policy) =>
      parent ? !parent.policies.has(policy) : policy !== TASK_POLICY && !this.knownPolicies.has(policy),
    );
    if (wrong) throw new MintRefused('a task token with these policies');
    const token = unguessable();
    const accessor = unguessable();
    const expiresAt = plusSeconds(this.clock.now(), request.ttlSeconds);
    this.#tokens.set(token, {
      accessor,
      parent: request.parent?.reveal(),
      policies,
      expiresAt,
      displayName: request.grantId,
      cubbyhole: new Map(),
    });
    const sealed = `vault:v1:${unguessable()}`;
    this.#sealed.set(sealed, { token, taskId: request.taskId });
    this.counts.created += 1;
    return { token: new Secret(token), accessor, sealed, expiresAt };
  }

  async open(sealed: string, taskId: TaskId): Promise<Secret<string>> {
    this.#answer();
    const found = this.#sealed.get(sealed);
    if (found?.taskId !== taskId) throw new SealBroken();
    return new Secret(found.token);
  }

  async mint({ capability, ttlSeconds, token }: MintRequest): Promise<Minted> {
    this.#answer();
    const holder = this.#live(token);
    if (!holder.policies.has(capability.vaultPolicy)) throw new MintRefused(`\`${capability.name}\``);
    this.counts.minted += 1;
    const made = MATERIAL[capability.engine](capability, holder.displayName);
    const minted = capability.engine === 'kv' ? { ...made, principal: `version ${this.storedVersion}` } : made;
    const expiresAt = capability.shape === 'static' ? undefined : plusSeconds(this.clock.now(), ttlSeconds);
    if (capability.shape !== 'revocable' || !minted.principal) return { ...minted, ...(expiresAt && { expiresAt }) };
    const vaultLeaseId = `${capability.mount}/fake/${capability.role}/${unguessable()}`;
    this.#leases.set(vaultLeaseId, { token: token.reveal(), principal: minted.principal });
    this.principals.add(minted.principal);
    return { ...minted, vaultLeaseId, ...(expiresAt && { expiresAt }) };
  }

  async discardToken(token: Secret<string>): Promise<void> {
    if (!this.down) this.#endToken(token.reveal());
  }

  async discard(_token: Secret<string>, { vaultLeaseId }: Minted): Promise<void> {
    if (!this.down && vaultLeaseId) this.#endLease(vaultLeaseId);
  }

  async keep(token: Secret<string>, leaseRef: LeaseRef, material: SecretMaterial): Promise<void> {
    this.#answer();
    this.#live(token).cubbyhole.set(leaseRef, material);
  }

  async copy(from: Secret<string>, to: Secret<string>, leaseRef: LeaseRef): Promise<void> {
    this.#answer();
    const material = this.#live(from).cubbyhole.get(leaseRef);
    if (material) this.#live(to).cubbyhole.set(leaseRef, material);
  }

  async take(token: Secret<string>, leaseRef: LeaseRef): Promise<SecretMaterial | undefined> {
    this.#answer();
    const { cubbyhole } = this.#live(token);
    const material = cubbyhole.get(leaseRef);
    cubbyhole.delete(leaseRef);
    return material;
  }

  async revokeLease(vaultLeaseId: string): Promise<void> {
    this.#answer();
    if (this.stubborn) throw new RevokeFailed('a lease');
    this.#endLease(vaultLeaseId);
  }

  async isLeaseGone(vaultLeaseId: string): Promise<boolean> {
    this.#answer();
    return !this.#leases.has(vaultLeaseId);
  }

  /** Accessors whose revocation was interrupted: Vault never says that they are gone. */
  readonly dangling = new Set<string>();

  async revokeToken(accessor: string): Promise<TokenAnswer> {
    this.#answer();
    if (this.stubborn) throw new RevokeFailed('a task token');
    if (this.dangling.has(accessor)) return 'unusable';
    for (const [token, { accessor: its }] of this.#tokens) if (its === accessor) this.#endToken(token);
    return 'asked';
  }

  async isTokenGone(accessor: string): Promise<boolean> {
    this.#answer();
    return !this.dangling.has(accessor) && ![...this.#tokens.values()].some((token) => token.accessor === accessor);
  }

  async revokeCertificate(_mount: string, serialNumber: string): Promise<void> {
    this.#answer();
    if (this.stubborn) throw new RevokeFailed('a certificate');
    this.#revokedCertificates.add(serialNumber);
  }

  async isCertificateRevoked(_mount: string, serialNumber: string): Promise<boolean> {
    this.#answer();
    return this.#revokedCertificates.has(serialNumber);
  }

  /** Of every token that exists, sorted. */
  accessors(): string[] {
    return [...this.#tokens.values()].map(({ accessor }) => accessor).sort();
  }

  /** Loses a lease, as a server that is killed at the wrong moment does: what it leased lives on. */
  forget(vaultLeaseId: string): void {
    this.#leases.delete(vaultLeaseId);
  }

  async health(): Promise<void> {
    this.#answer();
  }

  /** Every call starts here: what has run out is over, and a server that is away says nothing. */
  #answer(): void {
    if (this.down) throw new VaultUnavailable();
    for (const [token, { expiresAt }] of this.#tokens) if (expiresAt <= this.clock.now()) this.#endToken(token);
  }

  #live(token: Secret<string>): Token {
    const found = this.#tokens.get(token.reveal());
    if (!found) throw new MintRefused('the task token is gone');
    return found;
  }

  #endToken(token: string): void {
    if (!this.#tokens.delete(token)) return;
    for (const [id, lease] of this.#leases) if (lease.token === token) this.#endLease(id);
    for (const [child, { parent }] of this.#tokens) if (parent === token) this.#endToken(child);
  }

  #endLease(id: string): void {
    const lease = this.#leases.get(id);
    if (!lease) return;
    this.#leases.delete(id);
    this.principals.delete(lease.principal);
    if (id.startsWith('pki/')) this.#revokedCertificates.add(lease.principal);
  }
}

/** Made-up credentials in each engine's shape. */
const MATERIAL: Readonly<Record<Capability['engine'], (capability: Capability, displayName: string) => Minted>> = {
  database: (_, displayName) => {
    const username = `token-${displayName}-${randomBytes(4).toString('hex')}`;
    return { material: new Secret({ username, password: unguessable() }), principal: username };
  },
  kv: ({ role }) => ({ material: new Secret({ storedAt: role, apiKey: unguessable() }) }),
  pki: () => {
    const serialNumber = randomBytes(8).toString('hex').match(/../g)!.join(':');
    const pem = (what: string) => `-----BEGIN ${what}-----\n${unguessable()}\n-----END ${what}-----`;
    const material = { certificate: pem('CERTIFICATE'), privateKey: pem('EC PRIVATE KEY'), caChain: [pem('CERTIFICATE')], serialNumber };
    return { material: new Secret(material), principal: serialNumber };
  },
  ssh: () => {
    const serialNumber = randomBytes(8).toString('hex');
    const material = { signedKey: `ssh-ed25519-cert-v01@openssh.com ${unguessable()}`, privateKey: unguessable(), serialNumber };
    return { material: new Secret(material), principal: serialNumber };
  },
  transit: () => ({ material: new Secret({ plaintext: randomBytes(32).toString('base64'), ciphertext: `vault:v1:${unguessable()}` }) }),
};

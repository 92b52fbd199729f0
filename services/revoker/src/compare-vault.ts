/**
 * Vault-side drift: is what a capability is made of in Vault still what the catalogue declares? Whoever decides reads the answer in the ledger.
 * @module
 */
import type { Capability, Clock } from '@mayfly/domain';
import type { VaultConfiguration, VaultMarks } from '@mayfly/revocation';
import { hasDrifted, noteVaultDigest, vaultDigests, type Database } from '@mayfly/store';
import { ATTRIBUTES, type Attributes, type Logger } from '@mayfly/telemetry';
import { Stillness } from './stillness.js';

/** What comparing works with. */
export interface CompareDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly vault: VaultConfiguration;
  readonly marks: VaultMarks;
  /** Those of the current catalogue. */
  readonly capabilities: () => Promise<readonly Capability[]>;
}

/** What declares nothing is read too, for those who want to declare it, in every so many rounds only. */
const UNDECLARED_EVERY = 15;
const AT_ONCE = 4;

/** Compares round by round. */
export class VaultComparison {
  readonly #declared: Stillness;
  readonly #everything: Stillness;
  #rounds = 0;
  #last = performance.now();

  constructor(private readonly on: CompareDependencies) {
    this.#declared = new Stillness({ ...on, tables: ['vault_digest'] });
    this.#everything = new Stillness({ ...on, tables: ['vault_digest'] });
  }

  /**
   * Reads everything that is declared, once, unless it can only be what it was at the last round. One that cannot be read keeps what is known
   * of it, and does not keep the others from being read.
   * @throws VaultUnavailable, or MayflyError `inventory-refused`: the first failure of what is declared, after all were tried
   */
  async round(): Promise<void> {
    const all = this.#rounds++ % UNDECLARED_EVERY === 0;
    const capabilities = await this.on.capabilities();
    const settle = await (all ? this.#everything : this.#declared).begin(capabilities);
    if (settle) await this.#compare(capabilities, all);
    settle?.();
    this.#last = performance.now();
  }

  async #compare(capabilities: readonly Capability[], all: boolean): Promise<void> {
    const known = await vaultDigests(this.on.database);
    const waiting = capabilities.filter(({ name, vaultDigest }) => all || vaultDigest !== undefined || known.get(name)?.declared !== null);
    const failures: unknown[] = [];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { name: capability, vaultDigest } = next;
        await this.#look(next).catch((error: unknown) => {
          if (vaultDigest !== undefined) failures.push(error);
          else if (all) this.on.logger.warn('a capability cannot be read in Vault, so that nobody can declare it', { capability, error });
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (failures.length > 0) throw failures[0];
  }

  /** Seconds since all that is declared was read; since the start before the first time. */
  ageSeconds = (): number => (performance.now() - this.#last) / 1000;

  /** For each capability that declares a digest: 1 while Vault differs, else 0. */
  async differing(): Promise<(readonly [number, Attributes])[]> {
    const known = await vaultDigests(this.on.database);
    const declaring = (await this.on.capabilities()).filter(({ vaultDigest }) => vaultDigest !== undefined);
    return declaring.map((capability) => [
      hasDrifted(capability, known.get(capability.name)) ? 1 : 0,
      { [ATTRIBUTES.capability]: capability.name },
    ]);
  }

  async #look(capability: Capability): Promise<void> {
    const { database, clock, logger, vault } = this.on;
    const found = (await vault.digest(capability)) ?? null;
    const changed = await database.transaction('note vault digest', (tx) => noteVaultDigest(tx, { capability, found, at: clock.now() }));
    const { name, vaultDigest: declared } = capability;
    if (!changed || declared === undefined) return;
    if (found === declared) logger.warn('Vault is again what the catalogue declares', { capability: name });
    else
      logger.error(
        'a policy or role in Vault is not what the catalogue declares: nothing is minted with it until it is, or until `npx mayfly policy digests` is declared',
        { capability: name, declared, found },
      );
  }
}

/**
 * Which policy set is in force, and how another one comes to be.
 * @module
 */
import { MayflyError, newEventId, OUT_EVENTS, TOPICS, type Clock } from '@mayfly/domain';
import { readPolicySet, refuseDevKeys, type Policy, type PolicyFiles } from '@mayfly/policy';
import type { Profile } from '@mayfly/service';
import {
  currentPolicyDigest,
  findPolicySet,
  keepPolicySet,
  listPolicySwitches,
  lockCurrentPolicy,
  putInOutbox,
  stateFact,
  switchPolicy,
  wakePolicyReaders,
  type Database,
  type PolicySwitch,
  type Sql,
  type StoredSet,
} from '@mayfly/store';
import { ATTRIBUTES, counter, METRICS } from '@mayfly/telemetry';

/** What handling policy sets works with. */
export interface PolicyDependencies {
  readonly database: Database;
  readonly clock: Clock;
  /** In profile `dev` a policy set may trust published development keys. */
  readonly profile: Profile;
  /** Gives the `kid` of who stands behind a set. */
  readonly vouch: (set: Pick<StoredSet, 'digest' | 'signature'>) => Promise<string | undefined>;
  /** Who decides by a set here, and so foretells what it would mean. */
  readonly read: (files: PolicyFiles) => Policy;
}

/** A set that shall be applied. */
export interface Application {
  readonly files: PolicyFiles;
  readonly signature?: string | undefined;
  /** Digest of the set that it was planned against; null for none. Where another one is in force by now, nothing is changed. */
  readonly expected?: string | null | undefined;
}

/** Another set is in force than the caller thinks. HTTP 409. */
export class PolicyChanged extends MayflyError {
  constructor(current: string | undefined) {
    const found = current === undefined ? 'no policy set is in force' : `${current} is in force by now`;
    super('policy-changed', `${found}; plan again against that`, 409, false);
  }
}

/** No such set was ever applied here. HTTP 404. */
export class UnknownPolicySet extends MayflyError {
  constructor(message = 'no policy set with this digest was applied here; GET /v1/policies lists them') {
    super('unknown-policy-set', message, 404, false);
  }
}

const KINDS = {
  applied: 'dev.mayfly.evidence.policy-applied.v1',
  rolled_back: 'dev.mayfly.evidence.policy-rolled-back.v1',
} as const;
const switches = counter(METRICS.policySwitches);

/** Applies policy sets, goes back to earlier ones, and lists them. */
export class Policies {
  constructor(private readonly on: PolicyDependencies) {}

  /**
   * Makes a policy set the current one, atomically; drift follows from it. What is stored afterwards is what was sent, also where it was
   * current already.
   * @throws InvalidPolicySet; PolicySignatureRefused; PolicyChanged
   */
  async apply({ files, signature, expected }: Application, operator: string) {
    const { database, clock } = this.on;
    const set = { digest: readPolicySet(files).digest, files, signature };
    const described = await this.#check(set);
    const at = clock.now();
    const { previous, changed } = await database.transaction('apply policy set', async (tx) => {
      const current = await lockCurrentPolicy(tx);
      if (expected !== undefined && (current ?? null) !== expected) throw new PolicyChanged(current);
      const written = await keepPolicySet(tx, set, operator, at);
      const { signer } = described;
      if (current === set.digest) {
        if (written) await mend(tx, { digest: set.digest, operator, at, ...(signer && { signer }) });
        return { previous: current, changed: written };
      }
      await change(tx, {
        kind: 'applied',
        digest: set.digest,
        operator,
        at,
        ...(current && { previous: current }),
        ...(signer && { signer }),
      });
      return { previous: current, changed: true };
    });
    return { ...described, ...(previous && { previous }), changed };
  }

  /**
   * Makes an earlier set the current one again: a drift like any other.
   * @param digest of one that was in force; the one before this one where nothing is said
   * @throws UnknownPolicySet; PolicySignatureRefused or InvalidPolicySet when it would not be accepted any more
   */
  async rollBack(digest: string | undefined, reason: string, operator: string) {
    const { database, clock } = this.on;
    const at = clock.now();
    return database.transaction('roll back policy set', async (tx) => {
      const current = await lockCurrentPolicy(tx);
      const wanted = digest ?? (await listPolicySwitches(tx, 1))[0]?.previous;
      if (!wanted) throw new UnknownPolicySet('there is no policy set to go back to; this is the first');
      const kept = await findPolicySet(tx, wanted);
      if (!kept) throw new UnknownPolicySet();
      const described = await this.#check(kept);
      if (described.policyDigest !== wanted)
        throw new UnknownPolicySet('the stored files of this policy set were changed; apply it afresh');
      const { signer } = described;
      const changed = current !== wanted;
      if (changed)
        await change(tx, {
          kind: 'rolled_back',
          digest: wanted,
          operator,
          reason,
          at,
          ...(current && { previous: current }),
          ...(signer && { signer }),
        });
      return { ...described, ...(current && { previous: current }), changed };
    });
  }

  /**
   * A set that shall be planned: files, or one that was applied before. Nobody has to have signed it yet.
   * @throws InvalidPolicySet; UnknownPolicySet
   */
  async toPlan(files: PolicyFiles | undefined, digest: string | undefined): Promise<Policy> {
    const planned = files ?? (digest === undefined ? undefined : await findPolicySet(this.on.database, digest))?.files;
    if (!planned) throw new UnknownPolicySet();
    return this.on.read(planned);
  }

  /** Which sets were in force, the newest first, and which one is: another one than the newest of these came to be past the console. */
  async list(limit: number) {
    const [current, found] = await this.on.database.transaction('list policy sets', async (tx) => {
      await tx.run('', 'set transaction isolation level repeatable read, read only');
      return [await currentPolicyDigest(tx), await listPolicySwitches(tx, limit)] as const;
    });
    return {
      current: current ?? null,
      policies: found.map(({ digest, ...rest }, position) => ({
        policyDigest: digest,
        current: position === 0 && digest === current,
        ...rest,
      })),
    };
  }

  async #check({ files, signature }: Pick<StoredSet, 'files' | 'signature'>) {
    const set = readPolicySet(files);
    if (this.on.profile !== 'dev') refuseDevKeys(set);
    const signer = await this.on.vouch({ digest: set.digest, signature });
    return {
      policyDigest: set.digest,
      ...(signer && { signer }),
      capabilities: set.capabilities.length,
      policies: Object.keys(set.policies).length,
    };
  }
}

/** Evidence and event of a switch are durable exactly when it is. */
async function change(tx: Sql, to: PolicySwitch): Promise<void> {
  await switchPolicy(tx, to);
  await announce(tx, to);
}

/** The set in force was not stored as it was sent: altered, or signed otherwise. No switch, but everybody has to read it again. */
async function mend(tx: Sql, one: Omit<PolicySwitch, 'kind' | 'previous'>): Promise<void> {
  await wakePolicyReaders(tx, one.digest);
  await announce(tx, { ...one, kind: 'applied', previous: one.digest });
}

async function announce(tx: Sql, { kind, digest: policyDigest, at, ...rest }: PolicySwitch): Promise<void> {
  const data = { policyDigest, change: kind, at: at.toISOString(), ...rest };
  await stateFact(tx, { kind: KINDS[kind], at: at.toISOString(), by: 'console', data });
  const event = { id: newEventId(), type: OUT_EVENTS.policyChanged, topic: TOPICS.signals, key: 'policy', time: at, data };
  await putInOutbox(tx, 'console', [event]);
  switches.add(1, { [ATTRIBUTES.outcome]: kind });
}

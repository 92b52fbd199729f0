import { MayflyError } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { ATTRIBUTES, counter, histogram, METRICS, SPANS, withSpan } from '@mayfly/telemetry';
import { ttlOf, type Credential, type Lease } from '@mayfly/grant';
import { driftedCapabilities, endLease, giveUpLease, intendMint, lockGrant, namesOf, noteMinted } from '@mayfly/store';
import type { Minting } from '../minting.js';

const mints = counter(METRICS.mints);
const duration = histogram(METRICS.mintDuration);

/** What delivery intends is minted by delivery, while somebody waits for it. */
export const toMint = ({ leases }: Pick<Minting, 'leases'>): readonly Lease[] =>
  leases.filter(({ state, minter }) => state === 'minting' && minter === 'issuer');

/** Mints every lease that is still only an intent, and puts its material aside where only the task's token reaches it. */
export async function mintLeases(known: Minting): Promise<'stop' | void> {
  for (const lease of toMint(known)) {
    const credential = known.credentials.find(({ name }) => name === lease.name);
    if (!credential?.spec) continue;
    if (!(await known.book.hold(known.claim))) return 'stop';
    const intent = lease.vaultLeaseId ? await replace(known, lease, credential) : lease;
    if (!intent) continue;
    // It may have waited for Vault since it was decided.
    if ((await driftedCapabilities(known.database, (await known.policies.get(known.database)).set)).has(credential.capability)) {
      await giveUp(known, intent, credential, 'vault-drift');
      continue;
    }
    try {
      await mintOne(known, intent, credential, credential.spec);
    } catch (error) {
      if (!(error instanceof MayflyError) || error.retriable) throw error;
      await giveUp(known, intent, credential, error.code);
    }
  }
}

async function mintOne(
  { database, clock, vault, grant, token, book }: Minting,
  lease: Lease,
  credential: Credential,
  spec: NonNullable<Credential['spec']>,
): Promise<void> {
  if (!token || !grant.deadline) return;
  const { deadline } = grant;
  const startedAt = performance.now();
  const attributes = {
    [ATTRIBUTES.taskId]: grant.taskId,
    [ATTRIBUTES.capability]: spec.name,
    [ATTRIBUTES.engine]: spec.engine,
    [ATTRIBUTES.leaseRef]: lease.ref,
  };
  await withSpan(SPANS.mint, { attributes }, async () => {
    const ttlSeconds = ttlOf(credential, spec, clock.now(), deadline);
    const minted = await vault.mint({ leaseRef: lease.ref, capability: spec, ttlSeconds, token });
    failpoint('C8');
    // Written down before anything else can go wrong: whoever takes over finds it and ends it.
    if (!(await noteMinted(database, lease.ref, namesOf(minted)))) {
      // Another process has minted for this lease meanwhile.
      await vault.discard(token, minted);
      return;
    }
    failpoint('C9');
    await vault.keep(token, lease.ref, minted.material);
    await book.activate({ grant, credential, lease, minted, ttlSeconds, at: clock.now() });
  });
  mints.add(1, { [ATTRIBUTES.capability]: spec.name, [ATTRIBUTES.outcome]: 'minted' });
  duration.since(startedAt, { [ATTRIBUTES.engine]: spec.engine });
}

/** Somebody minted this and died before the material was kept: that copy has to end, and another intent takes its place. */
function replace({ database, clock, grant }: Minting, lease: Lease, credential: Credential): Promise<Lease | undefined> {
  const at = clock.now();
  return database.transaction('replace lost mint', async (tx) => {
    const live = await lockGrant(tx, grant.id);
    if (live?.state !== 'granted') return undefined;
    if (!(await endLease(tx, live, credential, lease, { cause: 'superseded', by: 'issuer', at }))) return undefined;
    return intendMint(tx, live, credential, 'issuer', at);
  });
}

/** Vault refused for good: the intent is over, and a fetch will try afresh. */
async function giveUp({ database, clock, grant }: Minting, lease: Lease, credential: Credential, problem: string): Promise<void> {
  await database.transaction('fail lease', (tx) => giveUpLease(tx, grant, credential, lease, problem, clock.now()));
  mints.add(1, { [ATTRIBUTES.outcome]: 'failed', [ATTRIBUTES.reason]: problem });
}

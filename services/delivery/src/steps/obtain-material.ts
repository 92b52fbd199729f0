import { MayflyError, SecretTainted, VaultUnavailable } from '@mayfly/domain';
import { failpoint } from '@mayfly/failpoints';
import { ttlOf, type Minted } from '@mayfly/grant';
import { amendLease, failLease } from '@mayfly/store';
import { ATTRIBUTES, counter, histogram, METRICS, SPANS, withSpan } from '@mayfly/telemetry';
import type { Fetch } from '../fetch.js';

const mints = counter(METRICS.mints);
const duration = histogram(METRICS.mintDuration);

/** Takes what was put aside at the start, or mints now. */
export async function obtainMaterial(known: Fetch): Promise<void> {
  const { on, lease, token, credential } = known;
  if (!lease || !token || !credential?.spec) throw new TypeError('obtainMaterial comes after openToken');
  if (lease.state === 'minting') return mintNow(known);
  const kept = await on.vault.take(token, lease.ref);
  if (kept) {
    known.material = kept;
    return;
  }
  if (credential.spec.shape !== 'static')
    throw new VaultUnavailable('what was minted for this task cannot be found; ask again for a fresh one');
  // Static material is read again: there is nothing to supersede.
  const again = await on.vault.mint({ leaseRef: lease.ref, capability: credential.spec, ttlSeconds: credential.spec.maxTtlSeconds, token });
  await refuseTainted(known, again);
  if (again.principal) await amendLease(on.database, lease.ref, ['active'], { principal: again.principal });
  known.material = again.material;
}

/** @throws SecretTainted */
async function refuseTainted({ book, credential }: Fetch, { principal }: Pick<Minted, 'principal'>): Promise<void> {
  const { spec } = credential ?? {};
  if (spec?.compensation === 'taint' && principal && (await book.isTainted({ capability: spec.name, principal })))
    throw new SecretTainted();
}

async function mintNow(known: Fetch): Promise<void> {
  const { on, grant, lease, token, credential } = known;
  if (!grant?.deadline || !lease || !token || !credential?.spec) throw new TypeError('mintNow comes after reserveLease');
  const { spec } = credential;
  const { deadline } = grant;
  const startedAt = performance.now();
  const attributes = {
    [ATTRIBUTES.taskId]: grant.taskId,
    [ATTRIBUTES.capability]: spec.name,
    [ATTRIBUTES.engine]: spec.engine,
    [ATTRIBUTES.leaseRef]: lease.ref,
  };
  failpoint('C6');
  await withSpan(SPANS.mint, { attributes }, async () => {
    const ttlSeconds = ttlOf(credential, spec, on.clock.now(), deadline);
    const mint = async (): Promise<Minted> => {
      const made = await on.vault.mint({ leaseRef: lease.ref, capability: spec, ttlSeconds, token });
      await refuseTainted(known, made);
      return made;
    };
    const minted = await mint().catch(async (error: unknown) => {
      await giveUp(known, error);
      // Agents know one word for "Vault did not do it"; evidence has the true one.
      throw error instanceof MayflyError && error.code === 'mint-refused' ? new VaultUnavailable(undefined, { cause: error }) : error;
    });
    failpoint('C8');
    const at = on.clock.now();
    known.activation = { grant, credential, lease, minted, ttlSeconds, at, deliveredAt: at };
    known.material = minted.material;
  });
  mints.add(1, { [ATTRIBUTES.capability]: spec.name, [ATTRIBUTES.outcome]: 'minted' });
  duration.since(startedAt, { [ATTRIBUTES.engine]: spec.engine });
}

/**
 * When Vault refused, nothing exists and the intent is over. When nobody knows what Vault did, something may live: the lease is left to
 * the watch over abandoned intents, and is proven dead by the walk over what Vault has, or by the task's end.
 */
async function giveUp({ on, grant, lease, credential }: Fetch, error: unknown): Promise<void> {
  if (!grant || !lease || !(error instanceof MayflyError) || error.retriable) return;
  await on.database.transaction('fail lease', (tx) => failLease(tx, grant, lease, 'delivery', error.code, on.clock.now()));
  mints.add(1, { [ATTRIBUTES.capability]: credential?.capability, [ATTRIBUTES.outcome]: 'failed', [ATTRIBUTES.reason]: error.code });
}

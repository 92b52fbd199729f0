/**
 * What every reaper keeps. A new engine joins by a {@link Yard} with real servers (libs/vault/test/suites/deaths.ts) and has to pass all of it.
 */
import { expect, it } from '@jest/globals';
import { confirm, quarantine, reaperOf, strike, type Circumstances, type Doomed, type Killers } from '@mayfly/revocation';

/** A freshly minted credential. */
export interface Specimen {
  /** As the ledger knows it. */
  readonly doomed: Doomed;
  /** Uses it as its holder would: true when it is accepted. */
  works(): Promise<boolean>;
  /** Opens a session with it that outlives a refused login; where the kind has such a thing. */
  session?(): Promise<{ works(): Promise<boolean> }>;
  /** Refuses new logins at the target, and leaves open sessions alone. */
  barLogin?(): Promise<void>;
  /** Makes its principal anew at the target, as if the secrets engine had forgotten it there. */
  recreate?(): Promise<void>;
}

/** The world in which an engine's credentials die. */
export interface Yard {
  mint(): Promise<Specimen>;
  readonly killers: Killers;
  /** The same with the secrets engine away. */
  readonly vaultAway: Killers;
  /** The same with the secrets engine there, but refusing everything for lack of privilege. */
  readonly vaultRefuses: Killers;
  /** The same with the target away. */
  readonly targetAway: Killers;
}

const at = (tokenProof?: string): Circumstances => ({ now: new Date(), tokenProof, unexplained: async (principals) => principals });
const unknown = ({ doomed }: Specimen): Doomed => ({
  ...doomed,
  lease: { ...doomed.lease, ...(doomed.lease.vaultLeaseId && { vaultLeaseId: `${doomed.lease.vaultLeaseId.slice(0, -8)}abcdefgh` }) },
});

/** Declares the suite for a `revocable` kind inside the caller's `describe`. `quarantine`: whether it can be ended without the secrets engine. */
export function diesWhenRevoked(yard: () => Yard, can: { readonly quarantine: boolean }): void {
  const alive = { kind: 'alive' };
  const dead = { kind: 'over', state: 'revoked', proof: { lease: 'vault: invalid lease', target: expect.any(String) } };

  it('is alive while it works, and revoked once it was revoked; again is the same', async () => {
    const one = await yard().mint();
    expect(await one.works()).toBe(true);
    expect(await confirm(one.doomed, yard().killers, at())).toMatchObject(alive);
    for (let again = 0; again < 2; again += 1) {
      expect(await strike(one.doomed, yard().killers)).toBeUndefined();
      expect(await confirm(one.doomed, yard().killers, at())).toMatchObject(dead);
      expect(await one.works()).toBe(false);
    }
  });

  it('revokes what the secrets engine does not know without an error, and without an effect on others', async () => {
    const one = await yard().mint();
    expect(await strike(unknown(one), yard().killers)).toBeUndefined();
    expect(await one.works()).toBe(true);
  });

  it('is not called dead because the secrets engine is away, or refuses to say', async () => {
    const one = await yard().mint();
    expect(await strike(one.doomed, yard().killers)).toBeUndefined();
    for (const killers of [yard().vaultAway, yard().vaultRefuses]) {
      expect(await strike(one.doomed, killers)).toBeDefined();
      expect(await confirm(one.doomed, killers, at())).toMatchObject(alive);
    }
    expect(await confirm(one.doomed, yard().killers, at())).toMatchObject(dead);
  });

  it('whose lease id is not known is dead only once its token is, or once nothing unnamed is left', async () => {
    const { doomed } = await yard().mint();
    const { vaultLeaseId: _, ...lease } = doomed.lease;
    expect(await confirm({ ...doomed, lease }, yard().killers, at())).toMatchObject({ kind: 'later' });
    const long = { ...at(), now: new Date(Date.now() + 600_000) };
    expect(await confirm({ ...doomed, lease }, yard().killers, long)).toMatchObject({ problem: 'lease-id-unknown' });
    await strike(doomed, yard().killers);
    expect(await confirm({ ...doomed, lease }, yard().killers, at('vault: invalid accessor'))).toMatchObject({ kind: 'over' });
    const settled = (seconds: number): Killers => ({
      ...yard().killers,
      settledUntil: () => new Date(lease.intendedAt.getTime() + seconds * 1000),
    });
    expect(await confirm({ ...doomed, lease }, settled(20), at())).toMatchObject({ kind: 'later' });
    expect(await confirm({ ...doomed, lease }, settled(21), at())).toMatchObject({ kind: 'over', state: 'revoked' });
  });

  if (!can.quarantine) {
    it('cannot be ended without the secrets engine, and says so', async () => {
      const one = await yard().mint();
      expect(await quarantine(one.doomed, yard().vaultAway, at(), true)).toBeUndefined();
      expect(await one.works()).toBe(true);
    });
    return;
  }

  it('is not dead while a session of it is open, though its login is refused', async () => {
    const one = await yard().mint();
    const session = await one.session?.();
    await one.barLogin?.();
    expect(await one.works()).toBe(false);
    expect(await session?.works()).toBe(true);
    const lease = { ...unknown(one).lease };
    expect(await confirm({ ...one.doomed, lease }, yard().killers, at())).toMatchObject({ problem: 'target-still-accepts' });
    expect(await strike(one.doomed, yard().killers)).toBeUndefined();
    expect(await session?.works()).toBe(false);
    expect(await confirm(one.doomed, yard().killers, at())).toMatchObject(dead);
  });

  it('that came to life again at its target is not dead, whatever the secrets engine says, until it is ended there', async () => {
    const one = await yard().mint();
    await strike(one.doomed, yard().killers);
    await one.recreate?.();
    expect(await one.works()).toBe(true);
    expect(await confirm(one.doomed, yard().killers, at())).toMatchObject({ problem: 'target-still-accepts' });
    expect(await quarantine(one.doomed, yard().killers, at(), true)).toBe(1);
    expect(await one.works()).toBe(false);
    expect(await confirm(one.doomed, yard().killers, at())).toMatchObject(dead);
    expect(await quarantine(one.doomed, yard().killers, at(), true)).toBe(0);
  });

  it('is ended at its target with the secrets engine away, open session included, and not called dead before that has confirmed it', async () => {
    const [one, other] = [await yard().mint(), await yard().mint()];
    const session = await one.session?.();
    for (let again = 0; again < 2; again += 1) expect(await quarantine(one.doomed, yard().vaultAway, at(), false)).toBe(1);
    expect(await one.works()).toBe(false);
    expect(await session?.works()).toBe(false);
    expect(await other.works()).toBe(true);
    expect(await confirm(one.doomed, yard().vaultAway, at())).toMatchObject(alive);
    expect(await confirm(one.doomed, yard().killers, at())).toMatchObject({ problem: 'lease-still-known' });
    expect(await strike(one.doomed, yard().killers)).toBeUndefined();
    expect(await confirm(one.doomed, yard().killers, at())).toMatchObject(dead);
  });

  it('at a target that is away is neither dead nor ended', async () => {
    const one = await yard().mint();
    await expect(quarantine(one.doomed, yard().targetAway, at(), true)).rejects.toMatchObject({ code: 'target-unavailable' });
    await strike(one.doomed, yard().killers);
    expect(await confirm(one.doomed, yard().targetAway, at())).toMatchObject({ problem: 'target-unavailable' });
  });
}

/** Declares the suite for a kind that nobody can revoke: it never claims to, whatever is asked of it. */
export function neverCallsItselfRevoked(yard: () => Yard): void {
  it('does nothing when it is to be revoked or quarantined, which is no error', async () => {
    const { doomed } = await yard().mint();
    for (const killers of [yard().killers, yard().vaultAway, yard().targetAway]) {
      expect(await strike(doomed, killers)).toBeUndefined();
      expect(await quarantine(doomed, killers, at(), true)).toBeUndefined();
    }
  });

  it('says only what is true of its shape', async () => {
    const { doomed } = await yard().mint();
    const { shape } = doomed.credential.spec!;
    const verdict = await confirm(doomed, yard().killers, at());
    expect(verdict).toMatchObject(
      shape === 'static' ? { kind: 'over', state: 'access_ended' } : { kind: 'later', at: doomed.lease.expiresAt },
    );
    const later = { ...at(), now: new Date((doomed.lease.expiresAt?.getTime() ?? 0) + 1) };
    if (shape === 'expiry-only') expect(await confirm(doomed, yard().killers, later)).toMatchObject({ kind: 'over', state: 'expired' });
    expect(reaperOf({ ...doomed.credential.spec!, shape: 'revocable' }, yard().killers) === undefined).toBe(
      doomed.credential.spec!.engine !== 'pki',
    );
  });
}

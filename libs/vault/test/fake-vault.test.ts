import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@mayfly/domain';
import { CATALOGUE } from './catalogue.js';
import { keepsThePromises, mint, tokenFor } from './conformance.js';
import { FakeVault } from './fake-vault.js';

describe('the fake', () => {
  const vault = new FakeVault();
  keepsThePromises(() => ({ vault, revoker: vault }));

  it('ends tokens and what hangs on them at their deadline', async () => {
    const clock = new ManualClock();
    const fake = new FakeVault(clock);
    const token = await tokenFor({ vault: fake }, [CATALOGUE.read], { ttlSeconds: 60 });
    await mint({ vault: fake }, token, CATALOGUE.read);
    expect(fake.principals.size).toBe(1);
    clock.advance(60_000);
    expect(await fake.isTokenGone(token.accessor)).toBe(true);
    expect(fake.principals.size).toBe(0);
  });

  it('is away or stubborn when told to', async () => {
    const fake = new FakeVault();
    fake.stubborn = true;
    await expect(fake.revokeLease('any')).rejects.toMatchObject({ code: 'revoke-failed' });
    fake.down = true;
    await expect(fake.health()).rejects.toMatchObject({ code: 'vault-unavailable' });
  });
});

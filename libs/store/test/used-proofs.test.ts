import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { plusSeconds } from '@mayfly/domain';
import { proofRegister } from '@mayfly/store';
import { AT, startLedger, type Ledger } from './ledger.js';

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
}, 60_000);
afterAll(() => ledger?.stop());

const proof = (proofId: string, thumbprint = 'key', oldFrom = plusSeconds(AT, 90)) => ({ proofId, thumbprint, oldFrom });
const kept = async (): Promise<number> =>
  Number((await ledger.database.run<{ count: string }>('', 'select count(*) from ledger.used_proof'))[0]?.count);

test('a proof is used once, by whichever replica and however many at the same time', async () => {
  const replicas = [proofRegister(ledger.database), proofRegister(ledger.database)];
  const uses = await Promise.all(Array.from({ length: 50 }, (_, n) => replicas[n % 2]!.firstUse(proof('one'), AT)));
  expect(uses.filter(Boolean)).toHaveLength(1);
  expect(await replicas[0]!.firstUse(proof('two'), AT)).toBe(true);
  expect(await replicas[1]!.firstUse(proof('one', 'another key'), AT)).toBe(true);
});

test('what is too old everywhere is forgotten by those who come after it, two at a time; what is not yet, is kept', async () => {
  const register = proofRegister(ledger.database);
  await ledger.database.run('', 'delete from ledger.used_proof');
  for (let n = 0; n < 10; n += 1) await register.firstUse(proof(`old-${n}`), AT);
  // A replica whose clock is 30 seconds behind would still take them.
  await register.firstUse(proof('x', 'key', plusSeconds(AT, 300)), plusSeconds(AT, 119));
  expect(await kept()).toBe(11);
  for (let n = 0; n < 5; n += 1) await register.firstUse(proof(`new-${n}`, 'key', plusSeconds(AT, 300)), plusSeconds(AT, 121));
  expect(await kept()).toBe(6);
  expect(await register.firstUse(proof('x'), plusSeconds(AT, 121))).toBe(false);
});

test('many replicas that forget at the same time do not stand in each other’s way', async () => {
  await ledger.database.run('', 'delete from ledger.used_proof');
  const register = proofRegister(ledger.database);
  await Promise.all(Array.from({ length: 40 }, (_, n) => register.firstUse(proof(`old-${n}`), AT)));
  const later = plusSeconds(AT, 600);
  await Promise.all(Array.from({ length: 40 }, (_, n) => register.firstUse(proof(`new-${n}`, 'key', plusSeconds(AT, 900)), later)));
  expect(await kept()).toBeLessThanOrEqual(60);
});

import { expect, test } from '@jest/globals';
import { StoreUnavailable } from '@mayfly/domain';
import { DroppedClaims, type Claimed } from '@mayfly/store';

const claimed = (claim: number): Claimed => ({ grant: {} as Claimed['grant'], claim });

test('a claim is given back at once, or once each when the ledger answers again', async () => {
  let away = false;
  const settled: number[] = [];
  const dropped = new DroppedClaims(async ({ claim }) => {
    if (away) throw new StoreUnavailable();
    settled.push(claim);
  });
  await dropped.drop(claimed(1));
  expect(settled).toEqual([1]);
  away = true;
  await dropped.drop(claimed(2));
  await dropped.drop(claimed(3));
  await expect(dropped.retry()).rejects.toBeInstanceOf(StoreUnavailable);
  away = false;
  await dropped.retry();
  await dropped.retry();
  expect(settled).toEqual([1, 2, 3]);
});

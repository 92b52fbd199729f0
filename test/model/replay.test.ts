/** Traces of the model, done by the code: after each step the ledger, Vault, the target and every flow stand where the model says. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { applyExample } from '../../libs/store/test/example.js';
import { startLedger, type Ledger } from '../../libs/store/test/ledger.js';
import { readTrace } from './itf.js';
import { traces } from './quint.js';
import { replay } from './replaying.js';

const SEED = Number(process.env.MODEL_SEED ?? 20_261_122);
const TRACES = Number(process.env.MODEL_TRACES ?? 50);

let ledger: Ledger;
beforeAll(async () => {
  ledger = await startLedger();
  await applyExample(ledger.database);
}, 60_000);
afterAll(() => ledger?.stop());

test('the code does what the model does, step by step', async () => {
  const all = (await traces(TRACES, SEED)).map(readTrace);
  let steps = 0;
  for (const [index, trace] of all.entries()) {
    const parting = await replay(ledger.database, trace);
    if (parting) {
      const { step, told, model, code } = parting;
      const at = `seed ${SEED}, trace ${index}, step ${step}: ${told}`;
      expect({ at, world: code }).toEqual({ at, world: model });
    }
    steps += trace.length - 1;
  }
  console.log(`${all.length} traces, ${steps} steps, seed ${SEED}`);
  expect(all.length).toBe(TRACES);
  expect(steps / all.length).toBeGreaterThan(20);
}, 3_600_000);

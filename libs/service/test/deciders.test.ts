import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Decider } from '@mayfly/policy';
import { DECIDER, policyReader } from '@mayfly/service';
import { z } from 'zod';
// @ts-expect-error plain JavaScript without types
import { OPA, start } from '../../../deploy/local/servers/opa.mjs';
import { AXES_REGO, corpus, corpusFiles } from '../../policy/test/corpus/corpus.js';
import { mint } from '../../policy/test/questions.js';
import { startAuthzen, type Listening } from './authzen-server.js';

const cases = corpus();
const TOKEN = 'a-token-of-the-decider';
const settings = (env: Record<string, string>) => z.object(DECIDER).parse({ MAYFLY_PDP_TIMEOUT_MILLISECONDS: '10000', ...env });

// OPA is fetched with `npm test`, not with `npm start`.
(existsSync(OPA) ? describe : describe.skip)('the decision corpus elsewhere', () => {
  let home: string;
  let opa: { url: string; stop(): Promise<void> };
  let authzen: Listening;
  const deciders: Record<string, Decider> = {};

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'mayfly-opa-'));
    opa = await start({ home, more: [AXES_REGO] });
    authzen = await startAuthzen(TOKEN, async (input) => {
      const answer = await fetch(opa.url, { method: 'POST', body: JSON.stringify({ input }) });
      return ((await answer.json()) as { result: unknown }).result;
    });
    const tokenFile = join(home, 'token');
    writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    const opaSettings = settings({ MAYFLY_DECIDER: 'opa', MAYFLY_PDP_URL: opa.url });
    const authzenSettings = settings({ MAYFLY_DECIDER: 'authzen', MAYFLY_PDP_URL: authzen.url, MAYFLY_PDP_TOKEN_FILE: tokenFile });
    deciders['OPA'] = policyReader(opaSettings)(corpusFiles()).decider;
    deciders['AuthZEN'] = policyReader(authzenSettings)(corpusFiles()).decider;
  }, 60_000);
  afterAll(async () => {
    await authzen?.close();
    await opa?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  describe.each(['OPA', 'AuthZEN'])('on %s', (name) => {
    test.each(cases)('$name', async ({ question, expected }) => {
      expect(await deciders[name]!.decide(question)).toMatchObject(expected);
    });

    test('a field that is missing denies, each', async () => {
      for (const field of ['taskId', 'tenant', 'source', 'workflow', 'risk', 'behaviour', 'delegationDepth'] as const) {
        const question = mint();
        const task = { ...question.task, [field]: undefined };
        expect(await deciders[name]!.decide({ ...question, task })).toMatchObject({ decision: 'deny' });
      }
    });
  });
});

/** The worked example's policy set in a ledger. */
import { readPolicyFiles, readPolicySet, type PolicyFiles } from '@mayfly/policy';
import { applyPolicySet, type Database } from '../src/index.js';
import { AT } from './ledger.js';

/** Makes the example's set the current one, changed where asked. Returns its digest. */
export async function applyExample(database: Database, change: (files: PolicyFiles) => PolicyFiles = (files) => files): Promise<string> {
  const { digest, files } = readPolicySet(change(await readPolicyFiles('deploy/policies/example')));
  await database.transaction('test', (tx) => applyPolicySet(tx, { digest, files, appliedBy: 'test', at: AT }));
  return digest;
}

/** Lets every set pass, as the dev profile does with unsigned ones. */
export const anybodys = (): Promise<void> => Promise.resolve();

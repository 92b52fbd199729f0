/** `npm run mutation`: changes the code that must not be wrong, one place at a time, and counts the changes that no test notices. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const LIBS = ['grant', 'revocation', 'identity'];
const LEAST_PERCENT = 85;
const USAGE = `npm run mutation -- [LIB …]

Mutates the state machine (grant), proofs of death and lanes (revocation) and the verification of identities (identity); all three where
none is named. Each is mutated by itself, so that only its own unit tests have to run. Reports are left in .mayfly/mutation-LIB.json.

Exit 0: at least ${LEAST_PERCENT} % of all changes were noticed. Exit 1: they were not; what survived is listed.`;

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !LIBS.includes(name));
if (unknown !== undefined) {
  console.log(USAGE);
  process.exit(unknown === '--help' ? 0 : 2);
}

const scores = (asked.length > 0 ? asked : LIBS).map((lib) => {
  const { status } = spawnSync('stryker', ['run', 'test/mutation/stryker.config.mjs'], {
    stdio: 'inherit',
    env: { ...process.env, MUTATED_LIB: lib },
  });
  if (status !== 0) process.exit(1);
  const { files } = JSON.parse(readFileSync(`.mayfly/mutation-${lib}.json`, 'utf8'));
  const all = Object.values(files).flatMap(({ mutants }) => mutants.map((mutant) => mutant.status));
  const count = (...statuses) => all.filter((each) => statuses.includes(each)).length;
  return { lib, noticed: count('Killed', 'Timeout'), missed: count('Survived', 'NoCoverage') };
});

const percent = ({ noticed, missed }) => Math.round((noticed / (noticed + missed)) * 1000) / 10;
for (const score of scores) console.log(`${score.lib}: ${percent(score)} % of ${score.noticed + score.missed} changes noticed`);
const sum = (of) => scores.reduce((total, score) => total + score[of], 0);
const whole = { noticed: sum('noticed'), missed: sum('missed') };
console.log(`together: ${percent(whole)} % of ${whole.noticed + whole.missed}`);
process.exitCode = percent(whole) >= LEAST_PERCENT ? 0 : 1;

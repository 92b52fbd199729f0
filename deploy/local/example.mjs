/** The worked example's catalogue and policies, loaded into a new ledger. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from './environment.mjs';
import { projectNode, root } from './layout.mjs';
import { run } from './run.mjs';

/** Once per ledger: what an operator applied later is not replaced at the next start. The console must be up. */
export async function applyExample({ dirs, devFile, signal }) {
  const done = join(dirs.state, 'example-applied');
  if (existsSync(done)) return;
  const cli = join(root, 'libs', 'cli', 'bin', 'mayfly.mjs');
  await run(projectNode, [cli, 'policy', 'apply', join(root, 'deploy', 'policies', 'example'), '--yes'], {
    what: 'applying the example policies',
    logFile: join(dirs.logs, 'policy-apply.log'),
    env: environment({ MAYFLY_DEV_JSON: devFile }),
    signal,
  });
  writeFileSync(done, new Date().toISOString());
}

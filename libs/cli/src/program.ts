/**
 * All commands.
 * @module
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Cli } from './cli.js';
import { addDevToken } from './commands/dev-token.js';
import { addDoctor } from './commands/doctor.js';
import { addEvidenceExport } from './commands/evidence-export.js';
import { addEvidenceVerify } from './commands/evidence-verify.js';
import { addFetch } from './commands/fetch.js';
import { addGrants } from './commands/grants.js';
import { addPolicyApply } from './commands/policy-apply.js';
import { addPolicyCheck } from './commands/policy-check.js';
import { addPolicyDigests } from './commands/policy-digests.js';
import { addPolicyList } from './commands/policy-list.js';
import { addPolicyPlan } from './commands/policy-plan.js';
import { addPolicyRollback } from './commands/policy-rollback.js';
import { addPolicySign } from './commands/policy-sign.js';
import { addRevocations } from './commands/revocations.js';
import { addRevoke } from './commands/revoke.js';
import { addTaskEnd } from './commands/task-end.js';
import { addTaskHeartbeat } from './commands/task-heartbeat.js';
import { addTaskStart } from './commands/task-start.js';
import { addTimeline } from './commands/timeline.js';
import { addWatch } from './commands/watch.js';

const ABOUT = `Credentials that live exactly as long as the task.

Everything is found through .mayfly/dev.json of a running stack (npm start). Elsewhere set KAFKA_BROKERS, MAYFLY_DELIVERY_URL,
MAYFLY_CONSOLE_URL and MAYFLY_OPERATOR_TOKEN; MAYFLY_DEV_JSON names another dev.json.`;

const EXAMPLES = `
A first task:
  $ mayfly task start --file deploy/policies/example/tasks/etl.json
  $ mayfly fetch etl-0042 orders
  $ mayfly task end etl-0042
  $ mayfly timeline etl-0042`;

/** The program, ready to parse. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('mayfly')
    .description(ABOUT)
    .version(version())
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({ writeOut: cli.out, writeErr: cli.err })
    .showHelpAfterError('(add --help for how it is used)');
  const group = (name: string, summary: string): Command => program.command(name).summary(summary).description(summary);

  const task = group('task', 'say what happens to tasks, as their orchestrator would');
  addTaskStart(task, cli);
  addTaskEnd(task, cli);
  addTaskHeartbeat(task, cli);
  addFetch(program, cli);
  addGrants(program, cli);
  addTimeline(program, cli);
  addWatch(program, cli);
  addRevoke(program, cli);
  addRevocations(program, cli);
  const policy = group('policy', 'check, sign, plan and apply policy sets, and go back to earlier ones');
  addPolicyCheck(policy, cli);
  addPolicySign(policy, cli);
  addPolicyPlan(policy, cli);
  addPolicyApply(policy, cli);
  addPolicyDigests(policy, cli);
  addPolicyList(policy, cli);
  addPolicyRollback(policy, cli);
  const evidence = group('evidence', 'export and check the record of what happened');
  addEvidenceExport(evidence, cli);
  addEvidenceVerify(evidence, cli);
  addDoctor(program, cli);
  const dev = group('dev', 'what only the dev profile has');
  addDevToken(dev, cli);
  return program;
}

function version(): string {
  const about = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(about) as { version: string }).version;
}

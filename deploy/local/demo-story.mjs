/** The demo's story: one task from its start to the refused login, with everything real. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAgentClient } from '@mayfly/agent-client';
import { proofText, readEndpoints, sendTaskEvent, signSvid, tailOutcomes, traceUrl } from '@mayfly/cli';
import { openDatabase } from '@mayfly/postgres';
import { root } from './layout.mjs';

const SOURCE = 'urn:example:orchestrator';
const PATIENCE_MS = 20_000;

/** Something that Mayfly promises did not happen. */
export class NotAsPromised extends Error {
  name = 'NotAsPromised';
}
const promised = (holds, sentence) => {
  if (!holds) throw new NotAsPromised(sentence);
};

/** Rejects with a sentence when the promise takes too long. */
function inTime(promise, sentence) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new NotAsPromised(sentence)), PATIENCE_MS)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The worked example's task, under a name of its own and asking for one credential. */
async function describeTask() {
  const example = JSON.parse(await readFile(join(root, 'deploy', 'policies', 'example', 'tasks', 'etl.json'), 'utf8'));
  const credentials = example.credentials.filter(({ name }) => name === 'orders');
  return { ...example, taskId: `demo-${randomBytes(4).toString('hex')}`, credentials };
}

/** Listens for the proof that the task's credential is dead. Gives back once it listens. */
async function awaitRevocation(endpoints, task, ending) {
  return new Promise((listening, fail) => {
    const revoked = new Promise((resolve, reject) => {
      const tell = ({ type, data }) => type === 'dev.mayfly.credential.revoked.v1' && resolve(data);
      const onReading = () => listening({ revoked });
      tailOutcomes(endpoints, { task, since: new Date(0), tell, onReading, ending }).catch((error) => (fail(error), reject(error)));
    });
    revoked.catch(() => undefined); // it is looked at later, if at all
  });
}

/** A login as the agent has it. `password` leaves this function for the driver only. */
const login = ({ host, port, database, username, password }) => {
  const user = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  return openDatabase({ url: `postgres://${user}@${host}:${port}/${database}`, applicationName: 'mayfly-demo', maxConnections: 1 });
};

async function refusalOf(secret) {
  const database = login(secret);
  try {
    await database.ping();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await database.close();
  }
}

/**
 * Plays it on the running stack.
 * @param {{ tell(who: string, what: string): void, ask(what: string, where: string): void }} narrator
 * @param {AbortSignal} ending ends what still listens
 * @throws NotAsPromised with a sentence
 */
export async function play({ tell, ask }, ending) {
  const endpoints = readEndpoints({ env: process.env, cwd: root });
  if (!endpoints.brokers || !endpoints.delivery || !endpoints.agentKeyFile) {
    throw new Error('no running stack found: start it with npm start, in another terminal');
  }
  const task = await describeTask();
  const { taskId, agent, initiator, workflow } = task;
  const { revoked } = await awaitRevocation(endpoints, taskId, ending);

  tell('orchestrator', `task ${taskId} of ${workflow.name} starts, for ${initiator.id}; it asks for orders-db.read`);
  const start = await sendTaskEvent(endpoints, { type: 'dev.mayfly.task.started.v1', source: SOURCE, taskId, data: task });

  const { token } = await signSvid(endpoints.agentKeyFile, { subject: agent.id, audience: 'mayfly', ttlSeconds: 300 });
  const mayfly = createAgentClient({ url: endpoints.delivery, token: () => token, traceparent: () => start.traceparent });
  const secret = (await mayfly.secret(taskId, 'orders', { waitSeconds: PATIENCE_MS / 1000 })).data;
  tell('agent', `I am ${agent.id}; Mayfly gave me ${secret.username}, made for this task`);

  const database = login(secret);
  const [{ count, worth }] = await database.run('', 'select count(*)::int as count, sum(amount) as worth from orders');
  promised(count > 0, 'the orders table is empty; start the stack with npm start -- --fresh');
  tell('agent', `I read the real table: ${count} orders worth ${worth}`);
  const session = database.run('', "select pg_sleep(14), 'still there' as state").then(
    () => undefined,
    (error) => error,
  );
  tell('agent', 'I leave a session open and busy');

  await sendTaskEvent(
    endpoints,
    { type: 'dev.mayfly.task.ended.v1', source: SOURCE, taskId, data: { taskId, outcome: 'succeeded' } },
    start.traceparent,
  );
  const ended = Date.now();
  tell('orchestrator', `task ${taskId} ends`);

  const event = await inTime(revoked, `no credential.revoked event came within ${PATIENCE_MS / 1000} s; see npx mayfly timeline ${taskId}`);
  tell('mayfly', `revoked and proven dead ${Date.now() - ended} ms later: ${proofText(event.proof)}`);

  const refusal = await refusalOf(secret);
  promised(refusal, `the login of ${secret.username} still works after the task has ended`);
  promised(refusal.code?.startsWith('28'), `the login failed, but not because it was refused: ${refusal.message}`);
  tell('agent', `I try the same login again, and PostgreSQL says: ${refusal.message}`);

  const death = await inTime(session, 'the open session is still alive after the task has ended');
  promised(death && death.cause?.code === '57P01', 'the open session was not ended with the task');
  tell('agent', `my open session: ${death.cause.message}`);
  await database.close();

  ask('the trace', traceUrl(endpoints, start.traceId) ?? start.traceId);
  ask('the story', `npx mayfly timeline ${taskId}`);
}

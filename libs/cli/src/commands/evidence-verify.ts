/**
 * `mayfly evidence verify`
 * @module
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { Head } from '@mayfly/evidence-log';
import { checkPack, type EvidencePack } from '../check-pack.js';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { NotSetUp, WrongUsage } from '../errors.js';
import { answers, verb, type Answer } from '../verb.js';
import { verifyLog } from '../verify-log.js';

interface Options {
  readonly head?: Head;
  readonly as?: string;
}

/** Checks a pack, or the whole log. */
export function addEvidenceVerify(evidence: Command, cli: Cli): void {
  verb(evidence, 'verify [file]', 'check that evidence is what it was: an exported file, or without one the whole log', [
    'evidence verify',
    'evidence verify --head 1042:9f86d081…   (a head that was noted earlier)',
    'evidence verify etl-0042.json',
  ])
    .option('--head <size:hash>', 'an earlier head, which the log must still contain', readHead)
    .option('--as <operator>', 'example operator to ask as')
    .action(
      answers(cli, (file: string | undefined, options: Options) =>
        file === undefined ? verifyAll(cli, options) : verifyFile(cli, file, options),
      ),
    );
}

async function verifyAll(cli: Cli, { head: known, as }: Options): Promise<Answer> {
  const { head, flaw } = await verifyLog(await connectConsole(cli, 'viewer', as), known);
  if (!flaw)
    return { data: { intact: true, records: head.size, head }, text: `intact: ${head.size} records, head ${head.size}:${head.hash}` };
  return { data: { intact: false, flaw, head }, text: `NOT INTACT at record ${flaw.index}: ${WHAT[flaw.problem]}`, failed: true };
}

async function verifyFile(cli: Cli, file: string, { head }: Options): Promise<Answer> {
  if (head) throw new WrongUsage('--head is for the whole log; leave out the file');
  const pack = await readPack(resolve(cli.cwd, file), file);
  const flaw = checkPack(pack);
  const { size, hash } = pack.checkpoint;
  if (flaw) return { data: { intact: false, flaw }, text: `NOT INTACT at record ${flaw.index}: ${WHAT[flaw.problem]}`, failed: true };
  return {
    data: { intact: true, taskId: pack.taskId, records: pack.records.length, checkpoint: pack.checkpoint },
    text: `intact: ${pack.records.length} records of task ${pack.taskId}; to check that none is missing: npx mayfly evidence verify --head ${size}:${hash}`,
  };
}

const WHAT = {
  'content-changed': 'its content is not what its hash covers',
  'chain-broken': 'it does not follow the record before it',
  'index-gap': 'a record is missing or doubled here',
  'out-of-order': 'the records are not in order',
  'foreign-task': 'it is about another task',
  'beyond-checkpoint': 'it is newer than the checkpoint beside it',
  'head-differs': 'the log was another one when this head was noted',
  shortened: 'the log ends here, and was longer before',
} as const;

async function readPack(path: string, file: string): Promise<EvidencePack> {
  try {
    const pack = JSON.parse(await readFile(path, 'utf8')) as EvidencePack;
    if (typeof pack.taskId === 'string' && Array.isArray(pack.records) && typeof pack.checkpoint.hash === 'string') return pack;
  } catch {
    // said below
  }
  throw new NotSetUp(`${file} is no evidence file; make one with npx mayfly evidence export ID --out FILE`);
}

function readHead(text: string): Head {
  const [, size, hash] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? [];
  if (size === undefined || hash === undefined)
    throw new InvalidArgumentError('Write it like 1042: and 64 hex digits, as evidence verify shows it.');
  return { size: Number(size), hash };
}

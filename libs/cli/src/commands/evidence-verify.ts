/**
 * `mayfly evidence verify`
 * @module
 */
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { Head } from '@mayfly/evidence-log';
import { checkPack, compareWithLog, packOf, type Difference, type EvidencePack } from '../check-pack.js';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import { NotSetUp } from '../errors.js';
import { readRegularFile } from '../regular-file.js';
import { plain } from '../show.js';
import { answers, verb, type Answer } from '../verb.js';
import { verifyLog, type Verdict } from '../verify-log.js';

interface Options {
  readonly head?: Head;
  readonly as?: string;
}

/** Checks the whole log, a pack in itself, or a pack against the log. */
export function addEvidenceVerify(evidence: Command, cli: Cli): void {
  verb(
    evidence,
    'verify [file]',
    'check the whole log; or an exported file: alone, that its records fit their hashes and are in order; with --head, that it has exactly what the log has about its task',
    [
      'evidence verify',
      'evidence verify --head 1042:9f86d081…   (a head that was noted earlier)',
      'evidence verify etl-0042.json   (needs no stack; cannot tell whether a record is missing)',
      'evidence verify etl-0042.json --head 1042:9f86d081…   (can tell)',
    ],
  )
    .option('--head <size:hash>', 'a head that the log must contain; up to it a file is compared with the log', readHead)
    .option('--as <operator>', 'example operator to ask as')
    .action(
      answers(cli, (file: string | undefined, options: Options) =>
        file === undefined ? verifyAll(cli, options) : verifyFile(cli, file, options),
      ),
    );
}

async function verifyAll(cli: Cli, { head: known, as }: Options): Promise<Answer> {
  const verdict = await verifyLog(await connectConsole(cli, 'viewer', as), known);
  const { head } = verdict;
  if (verdict.flaw) return logIsFlawed(verdict);
  return { data: { intact: true, records: head.size, head }, text: `intact: ${head.size} records, head ${head.size}:${head.hash}` };
}

const logIsFlawed = ({ head, flaw }: Verdict, prefix = ''): Answer => ({
  data: { intact: false, flaw, head },
  text: `${prefix}NOT INTACT at record ${flaw?.index}: ${flaw && WHAT[flaw.problem]}`,
  failed: true,
});

async function verifyFile(cli: Cli, file: string, { head, as }: Options): Promise<Answer> {
  const pack = await readPack(resolve(cli.cwd, file), file);
  const { taskId, records, checkpoint } = pack;
  const flaw = checkPack(pack);
  if (flaw) return { data: { consistent: false, flaw }, text: `NOT INTACT at record ${flaw.index}: ${WHAT[flaw.problem]}`, failed: true };
  const data = { consistent: true, taskId, records: records.length, checkpoint };
  const what = `${records.length} records of task ${plain(taskId)}`;
  if (!head)
    return {
      data: { ...data, complete: null },
      text:
        `consistent: ${what}, each fits its hash, in order\n` +
        `whether one is missing or was made anew, the file alone cannot tell: npx mayfly evidence verify ${file} --head SIZE:HASH compares it with the log,\n` +
        `up to a head that you noted, or to the one that the file names, ${checkpoint.size}:${checkpoint.hash}`,
    };
  const comparison = compareWithLog(pack, head);
  const log = await verifyLog(await connectConsole(cli, 'viewer', as), head, comparison.see);
  if (log.flaw) return logIsFlawed(log, 'the log is ');
  const differences = comparison.differences();
  if (differences.length === 0)
    return {
      data: { ...data, complete: true, head },
      text: `complete: ${what}, exactly those of the log up to ${head.size}:${head.hash}`,
    };
  return { data: { ...data, complete: false, head, differences }, text: differencesText(differences), failed: true };
}

const MOST_NAMED = 20;
function differencesText(differences: readonly Difference[]): string {
  const more = differences.length - MOST_NAMED;
  const named = differences.slice(0, MOST_NAMED).map(({ index, problem }) => `NOT THE LOG at record ${index}: ${WHAT[problem]}`);
  return [...named, ...(more > 0 ? [`and ${more} more; --json names all`] : [])].join('\n');
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
  missing: 'the log has it, the file does not',
  differs: 'the log has another one',
  'not-in-log': 'the log has none of this task here',
  'beyond-head': 'it is newer than the head that was given',
  'checkpoint-differs': "the file's checkpoint is not in the log",
} as const;

async function readPack(path: string, file: string): Promise<EvidencePack> {
  const text = await readRegularFile(path);
  if (text === undefined) throw new NotSetUp(`${file} is no regular file that can be read; name one that evidence export wrote`);
  const pack = packOf(parsed(text));
  if (pack) return pack;
  throw new NotSetUp(`${file} is no evidence file with records and a checkpoint; make one with npx mayfly evidence export ID --out FILE`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readHead(text: string): Head {
  const [, size, hash] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? [];
  if (size === undefined || hash === undefined)
    throw new InvalidArgumentError('Write it like 1042: and 64 hex digits, as evidence verify shows it.');
  return { size: Number(size), hash };
}

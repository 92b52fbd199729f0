/**
 * `mayfly evidence export`
 * @module
 */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { MayflyError } from '@mayfly/domain';
import type { Cli } from '../cli.js';
import { connectConsole } from '../console-client.js';
import type { EvidencePack } from '../check-pack.js';
import { NotSetUp } from '../errors.js';
import { plain } from '../show.js';
import { answers, verb } from '../verb.js';

/** Writes a task's evidence to a file. */
export function addEvidenceExport(evidence: Command, cli: Cli): void {
  verb(evidence, 'export <taskId>', "write a task's evidence to a file that anyone can check", [
    'evidence export etl-0042 --out etl-0042.json',
  ])
    .requiredOption('--out <file>', 'file to write')
    .option('--as <operator>', 'example operator to ask as')
    .action(
      answers(cli, async (taskId: string, { out, as }: { readonly out: string; readonly as?: string }) => {
        const pack = await (await connectConsole(cli, 'viewer', as)).get<EvidencePack>(`/v1/tasks/${encodeURIComponent(taskId)}/evidence`);
        if (pack.records.length === 0)
          throw new MayflyError(
            'task-not-found',
            `the log has nothing about task ${plain(taskId)}, so nothing was written; see npx mayfly timeline ${plain(taskId)}, and try again in a moment if it has just begun`,
            404,
            false,
          );
        await writeFile(resolve(cli.cwd, out), `${JSON.stringify(pack, null, 2)}\n`).catch(() => {
          throw new NotSetUp(`${out} cannot be written; name another file with --out`);
        });
        const { records, checkpoint } = pack;
        return {
          data: { taskId, file: out, records: records.length, checkpoint },
          text: `${records.length} records of task ${taskId} written to ${out}; check it with npx mayfly evidence verify ${out}`,
        };
      }),
    );
}

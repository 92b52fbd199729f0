/**
 * Where the targets are: the file that `MAYFLY_TARGETS_FILE` names.
 * @module
 */
import { readFile, stat } from 'node:fs/promises';
import { BadConfig } from '@mayfly/domain';
import { z } from 'zod';

const target = z.strictObject({
  kind: z.literal('postgres'),
  /** Public: handed to the agent together with its user name and password. */
  connection: z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65_535), database: z.string().min(1) }),
  /** Login that may see who exists and who is connected (with `pg_read_all_stats` also who is just being let in); only in the revoker's copy. */
  probeUrl: z.string().min(1).optional(),
  /** Login that may become `admin`, the role that makes the users, to end what the secrets engine forgot; only in the revoker's copy. */
  quarantine: z.strictObject({ url: z.string().min(1), admin: z.string().regex(/^[a-z_][a-z0-9_]*$/) }).optional(),
});

/** One target system. */
export type Target = z.infer<typeof target>;
/** Target systems by name. */
export type Targets = Readonly<Record<string, Target>>;

/**
 * Reads the targets file.
 * @throws BadConfig naming the keys that are wrong, never their values; also when everybody may read a file that holds logins
 */
export async function readTargets(path: string): Promise<Targets> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    throw new BadConfig(`the targets file ${path} cannot be read as JSON; check MAYFLY_TARGETS_FILE`);
  }
  const parsed = z.record(z.string(), target).safeParse(content);
  if (parsed.success) {
    await refuseOpen(path, parsed.data);
    return parsed.data;
  }
  throw new BadConfig(
    `the targets file ${path} is wrong at: ${parsed.error.issues.map((issue) => issue.path.join('.') || '(top)').join(', ')}`,
  );
}

async function refuseOpen(path: string, targets: Targets): Promise<void> {
  const holdsLogins = Object.values(targets).some(({ probeUrl, quarantine }) => probeUrl ?? quarantine);
  if (!holdsLogins || process.platform === 'win32') return;
  const { mode } = await stat(path);
  if (mode & 0o006) throw new BadConfig(`everybody may read or write the targets file ${path}, which holds logins; set its mode to 0600`);
}

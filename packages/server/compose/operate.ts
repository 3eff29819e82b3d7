import type { Config } from '../config/config.ts';
import { findRefusal } from '../errors/from-storage.ts';
import { CommandError } from '../process/command-error.ts';
import { unfinishedMark } from '../process/data-folder.ts';
import { makeBackup } from '../services/backup/backup.ts';
import { restoreBackup } from '../services/backup/restore.ts';
import { program } from './federation.ts';

export { doctor } from './doctor.ts';

type Tell = (line: string) => void;

/** What operators do beside a running server, or before there is one: nothing here opens the program. */
export async function backup(config: Config, folder: string, tell: Tell): Promise<void> {
  await explained(makeBackup(folder, { config, program: `${program.name} ${program.version}`, now: Date.now, tell }));
}

export async function restore(config: Config, folder: string, tell: Tell): Promise<void> {
  await explained(restoreBackup(folder, { config, now: Date.now, tell, unfinishedMark }));
}

/** What a service refuses, and what the system says about files and databases, is an answer that the person is told. */
async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const refusal = findRefusal(error);
    if (refusal) throw new CommandError(refusal.message);
    if (error instanceof Error && ('code' in error || error.name === 'DatabaseOpenError')) {
      throw new CommandError(error.message, { cause: error });
    }
    throw error;
  }
}

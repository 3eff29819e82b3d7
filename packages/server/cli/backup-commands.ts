import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Command } from './command.ts';
import { exitCodes } from './failure.ts';

type Work = (config: Config, folder: string, tell: (line: string) => void) => Promise<void>;

/** What is loaded only by those who need it. */
export type LoadBackups = () => Promise<{ readonly backup: Work; readonly restore: Work }>;

export function backupCommands(load: LoadBackups): Command[] {
  return [
    {
      name: 'backup',
      positionals: ['DEST'],
      summary:
        'Copies all of the server into the new folder DEST, also while it runs: database, media, signing key, configuration.',
      options: {},
      takesConfig: true,
      async run({ positionals: [folder = ''], loadConfig, print }) {
        const config = await loadConfig();
        await (await load()).backup(config, resolve(folder), print);
        print(`The backup is in ${resolve(folder)}. Whoever has it can speak for ${config.serverName}: keep it safe.`);
        return exitCodes.fine;
      },
    },
    {
      name: 'restore',
      positionals: ['SRC'],
      summary: 'Makes the data folder, which must be empty, out of the backup in SRC, and looks whether it is whole.',
      options: {},
      takesConfig: true,
      async run({ positionals: [folder = ''], loadConfig, print }) {
        const config = await loadConfig();
        await (await load()).restore(config, resolve(folder), print);
        print(`Restored into ${config.dataDir}. Never run it beside the server that the backup is of.`);
        return exitCodes.fine;
      },
    },
  ];
}

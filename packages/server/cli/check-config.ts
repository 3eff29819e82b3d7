import { ConfigError } from '../config/load.ts';
import type { Command } from './command.ts';
import { exitCodes } from './failure.ts';

export const checkConfig: Command = {
  name: 'check-config',
  positionals: [],
  summary: 'Says what is wrong with the configuration, with the line; exits 1 if anything is.',
  options: {},
  takesConfig: true,
  async run({ loadConfig, print }) {
    try {
      const config = await loadConfig();
      print(`The configuration is fine: ${config.serverName}, data in ${config.dataDir}`);
      return exitCodes.fine;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) print(problem);
      return exitCodes.no;
    }
  },
};

import type { Config } from '../config/config.ts';
import type { Command } from './command.ts';
import { exitCodes } from './failure.ts';

type Finding = {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly about: string;
  readonly text: string;
  readonly advice?: string;
};

export type LoadDoctor = () => Promise<{ readonly doctor: (config: Config) => AsyncIterable<Finding> }>;

export function doctor(load: LoadDoctor): Command {
  return {
    name: 'doctor',
    positionals: [],
    summary:
      'Looks at all that the server needs, also while it runs, and says what to do about what is wrong; exits 1 if anything fails.',
    options: {},
    takesConfig: true,
    async run({ loadConfig, print }) {
      const config = await loadConfig();
      const { doctor: examine } = await load();
      let hasFailed = false;
      for await (const { level, about, text, advice } of examine(config)) {
        hasFailed ||= level === 'fail';
        print(`${level.padEnd(4)}  ${about}: ${text}`);
        if (advice !== undefined) print(`      → ${advice}`);
      }
      return hasFailed ? exitCodes.no : exitCodes.fine;
    },
  };
}

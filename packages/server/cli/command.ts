import type { Config } from '../config/config.ts';

export type Option = {
  /** What stands for its value in the usage line; without one the option is a switch. */
  readonly value?: string;
  readonly help: string;
};

export type CommandInput = {
  readonly positionals: readonly string[];
  /** The options that were given; switches are ''. */
  readonly options: ReadonlyMap<string, string>;
  readonly print: (line: string) => void;
  /** Reads and checks the configuration, from the flags, the environment and the file. */
  readonly loadConfig: () => Promise<Config>;
};

export type Command = {
  readonly name: string;
  /** The positional arguments: `NAME`, `[TOKEN]`. */
  readonly positionals: readonly string[];
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Whether it takes `--config` and the settings as flags. */
  readonly takesConfig: boolean;
  /** Answers the exit code. */
  readonly run: (input: CommandInput) => Promise<number>;
};

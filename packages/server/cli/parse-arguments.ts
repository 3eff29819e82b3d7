import { parseArgs } from 'node:util';
import { nearestName } from '../config/nearest-name.ts';
import { schema } from '../config/schema.ts';
import { allSettings, flagName } from '../config/setting.ts';
import type { Command } from './command.ts';
import { UsageError } from './failure.ts';

export type ParsedArguments = {
  readonly positionals: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** Settings of the configuration that were given as flags. */
  readonly settings: ReadonlyMap<string, string>;
};

/** Sorts what was typed behind a command's name. Throws `UsageError`, with the nearest known option. */
export function parseArguments(command: Command, words: readonly string[]): ParsedArguments {
  const settings = command.takesConfig ? allSettings(schema).map(({ path }) => flagName(path)) : [];
  const switches = Object.entries(command.options).filter(([, option]) => option.value === undefined);
  const isSwitch = new Set(['help', ...switches.map(([name]) => name)]);
  const known = ['help', ...Object.keys(command.options), ...(command.takesConfig ? ['config', ...settings] : [])];
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(known.map((name) => [name, { type: isSwitch.has(name) ? 'boolean' : 'string' }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });

  const positionals: string[] = [];
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    if (!known.includes(token.name)) {
      throw new UsageError(`${token.rawName} is not an option; the nearest one is --${nearestName(token.name, known)}`);
    }
    if (isSwitch.has(token.name) && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    if (!isSwitch.has(token.name) && token.value === undefined) throw new UsageError(`${token.rawName} needs a value`);
    given.set(token.name, token.value ?? '');
  }
  if (!given.has('help')) checkPositionals(command, positionals);
  return {
    positionals,
    options: new Map([...given].filter(([name]) => !settings.includes(name))),
    settings: new Map([...given].filter(([name]) => settings.includes(name))),
  };
}

function checkPositionals(command: Command, positionals: readonly string[]): void {
  const missing = command.positionals.slice(positionals.length).find((name) => !name.startsWith('['));
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  const surplus = positionals[command.positionals.length];
  if (surplus !== undefined) throw new UsageError(`${JSON.stringify(surplus)} is one argument too many`);
}

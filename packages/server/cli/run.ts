import { ConfigError, loadConfig } from '../config/load.ts';
import { nearestName } from '../config/nearest-name.ts';
import { StartError } from '../process/start-error.ts';
import type { Command } from './command.ts';
import { CommandError } from '../process/command-error.ts';
import { exitCodes, UsageError } from './failure.ts';
import { renderHelp, renderOverview } from './help.ts';
import { parseArguments } from './parse-arguments.ts';

export type Output = { readonly print: (line: string) => void; readonly complain: (line: string) => void };

/** Runs the command that was typed and answers the exit code. */
export async function runCommandLine(
  commands: readonly Command[],
  words: readonly string[],
  { print, complain }: Output,
): Promise<number> {
  const command = findCommand(commands, words);
  try {
    if (!command) return showOverview(commands, words, { print, complain });
    const parsed = parseArguments(command, words.slice(command.name.split(' ').length));
    if (parsed.options.has('help')) {
      print(renderHelp(command));
      return exitCodes.fine;
    }
    return await command.run({
      positionals: parsed.positionals,
      options: parsed.options,
      print,
      loadConfig: () => loadConfig({ file: parsed.options.get('config'), flags: parsed.settings }),
    });
  } catch (error) {
    return explain(error, command, complain);
  }
}

function explain(error: unknown, command: Command | undefined, complain: (line: string) => void): number {
  if (error instanceof UsageError) {
    complain(`portico: ${error.message}`);
    complain(`Try: portico ${command ? `${command.name} ` : ''}--help`);
    return exitCodes.usage;
  }
  if (error instanceof ConfigError) {
    for (const problem of error.problems) complain(problem);
    return exitCodes.configuration;
  }
  if (error instanceof StartError) {
    complain(`portico: ${error.message}`);
    return exitCodes.configuration;
  }
  if (error instanceof CommandError) {
    complain(`portico: ${error.message}`);
    return exitCodes.no;
  }
  throw error;
}

/** The command with the longest name that the words begin with. */
function findCommand(commands: readonly Command[], words: readonly string[]): Command | undefined {
  return commands.find(({ name }) => name.split(' ').every((part, index) => words[index] === part));
}

function showOverview(commands: readonly Command[], words: readonly string[], { print, complain }: Output): number {
  const [first] = words;
  if (first === '--help' || first === '-h' || first === 'help') {
    print(renderOverview(commands));
    return exitCodes.fine;
  }
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0) {
    const asked = words.includes('--help');
    (asked ? print : complain)(renderOverview(group));
    return asked ? exitCodes.fine : exitCodes.usage;
  }
  if (first === undefined) {
    complain(renderOverview(commands));
    return exitCodes.usage;
  }
  const typed = words.slice(0, 2).join(' ');
  const names = commands.map(({ name }) => name);
  throw new UsageError(`${JSON.stringify(first)} is not a command; the nearest one is ${nearestName(typed, names)}`);
}

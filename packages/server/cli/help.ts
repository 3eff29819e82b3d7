import { renderFlags, wrap } from '../config/render.ts';
import { schema } from '../config/schema.ts';
import type { Command } from './command.ts';

export function renderOverview(commands: readonly Command[]): string {
  const names = commands.map(({ name, positionals }) => [name, ...positionals].join(' '));
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const lines = commands.map(({ summary }, index) => `  ${(names[index] ?? '').padEnd(width)}${summary}`);
  return [
    'Portico, a Matrix homeserver.',
    '',
    'Commands:',
    ...lines,
    '',
    'portico COMMAND --help says more about one of them.',
    'Exit codes: 0 fine, 1 the answer is no, 2 wrong usage, 78 the configuration is wrong.',
  ].join('\n');
}

export function renderHelp(command: Command): string {
  const options = Object.entries(command.options).flatMap(([name, { value, help }]) => [
    `  --${name}${value === undefined ? '' : ` ${value}`}`,
    ...wrap(help, 96).map((line) => `      ${line}`),
  ]);
  const settings = [
    '',
    'Configuration (the command line wins over the environment, the environment over the file):',
    '  --config FILE',
    '      The configuration file, in YAML. Without one, the defaults count.',
    renderFlags(schema),
  ];
  return [
    `Usage: portico ${usage(command)}`,
    '',
    command.summary,
    ...(options.length === 0 ? [] : ['', 'Options:', ...options]),
    ...(command.takesConfig ? settings : []),
  ].join('\n');
}

function usage(command: Command): string {
  const options = Object.entries(command.options).map(([name, { value }]) =>
    value === undefined ? `[--${name}]` : `[--${name} ${value}]`,
  );
  const config = command.takesConfig ? ['[--config FILE]'] : [];
  return [command.name, ...options, ...config, ...command.positionals].join(' ');
}

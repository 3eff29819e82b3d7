import type { AnySection, NamedSetting, Setting } from './setting.ts';
import { allSettings, environmentName, flagName } from './setting.ts';

/** The commented configuration file: everything is off but what `given` says. */
export function renderConfigFile(schema: AnySection, given: ReadonlyMap<string, string>): string {
  const head = [
    '# The configuration of Portico. Everything here is optional; what is commented out shows the default or an example.',
    '# Every setting can also be given as an environment variable or as a flag, both of which win over this file:',
    '# PORTICO_REGISTRATION_MODE=open, --registration-mode open. Check it with: portico check-config --config FILE',
    '',
  ];
  return `${[...head, ...renderMembers(schema, 0, given)].join('\n').trimEnd()}\n`;
}

function renderMembers(section: AnySection, depth: number, given: ReadonlyMap<string, string>): string[] {
  const indent = '  '.repeat(depth);
  const lines: string[] = [];
  for (const [name, member] of Object.entries(section.members)) {
    lines.push(...wrap(member.help, 110 - indent.length).map((line) => `${indent}# ${line}`));
    if (member.kind === 'section') {
      lines.push(`${indent}${name}:`, ...renderMembers(member, depth + 1, given));
    } else {
      const value = given.get(name);
      lines.push(value === undefined ? `${indent}#${name}: ${shownValue(member)}` : `${indent}${name}: ${value}`);
    }
    if (depth === 0) lines.push('');
  }
  return lines;
}

/** The value that documentation shows: the default, or an example where there is none or it says little. */
function shownValue(setting: Setting<unknown>): string {
  const value = setting.example ?? setting.default ?? '';
  return setting.type.structured && value.startsWith('[{') ? flowYaml(value) : value;
}

/** JSON as the flow YAML that people write: without quotes where none are needed. */
function flowYaml(json: string): string {
  return json
    .replaceAll(/"([a-z_]+)":/g, '$1: ')
    .replaceAll(/"([\w.]+)"/g, '$1')
    .replaceAll(',', ', ')
    .replaceAll('{', '{ ')
    .replaceAll('}', ' }');
}

/** The reference page of the documentation. */
export function renderReference(schema: AnySection): string {
  const lines = [
    '# Settings',
    '',
    '<!-- Made by scripts/settings-page.ts from packages/server/config/schema.ts and sections/ beside it: change it there. -->',
    '',
    'The configuration is a YAML file, given with `--config FILE`; all of it is optional. Every setting can also be given as',
    'an environment variable (lists and objects as JSON; an empty variable counts as not set) and as a flag of a command.',
    'The command line wins over the environment, the environment over the file. Relative paths start from the folder of the',
    'file, or from the current directory where there is none. `portico init FILE` writes a commented file to start from,',
    '`portico check-config --config FILE` says what is wrong with one.',
    '',
  ];
  for (const [name, member] of Object.entries(schema.members)) {
    lines.push(`## ${name}`, '');
    if (member.kind === 'section') lines.push(member.help, '');
    for (const named of allSettings(member, [name])) {
      if (member.kind === 'section') lines.push(`### \`${named.path.join('.')}\``, '');
      lines.push(...renderSetting(named), '');
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function renderSetting({ path, setting }: NamedSetting): string[] {
  const example = setting.example === undefined ? [] : [`- example: \`${setting.example}\``];
  return [
    setting.help,
    '',
    `- must be ${setting.type.description}`,
    `- default: ${describeDefault(setting)}`,
    ...example,
    `- environment: \`${environmentName(path)}\`, flag: \`--${flagName(path)}\``,
  ];
}

function describeDefault(setting: Setting<unknown>): string {
  if (setting.defaultIs !== undefined) return setting.defaultIs;
  return setting.default === undefined ? 'none' : `\`${setting.default}\``;
}

/** The settings as flags, for `--help`. */
export function renderFlags(schema: AnySection): string {
  return allSettings(schema)
    .map(({ path, setting }) => {
      const standard = setting.defaultIs ?? setting.default ?? 'none';
      const help = wrap(`${setting.help} Default: ${standard}.`, 96).map((line) => `      ${line}`);
      return [`  --${flagName(path)} ${setting.type.structured ? 'JSON' : 'VALUE'}`, ...help].join('\n');
    })
    .join('\n');
}

export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

import type { Command } from './command.ts';
import { exitCodes, UsageError } from './failure.ts';
import { passwordOptions, readPassword } from './read-password.ts';
import type { OpenHandlers } from './remote-command.ts';
import { callServer } from './remote-command.ts';

export function userAdd(openHandlers: OpenHandlers): Command {
  return {
    name: 'user add',
    positionals: ['NAME'],
    summary: 'Makes an account, also while the server runs. Without a password it makes one up and prints it.',
    options: {
      ...passwordOptions,
      admin: { help: 'Makes the account an administrator.' },
    },
    takesConfig: true,
    async run({ positionals: [name = ''], options, print, loadConfig }) {
      const config = await loadConfig();
      const { password, isMadeUp } = await readPassword(options);
      const params = { name: localPart(name, config.serverName), password, admin: options.has('admin') };
      const result = await callServer(config, openHandlers, 'user.add', params);
      print(`Made ${(result as { user_id: string }).user_id}${isMadeUp ? `, password ${password}` : ''}`);
      return exitCodes.fine;
    },
  };
}

/** Both `alice` and `@alice:example.org` name an account of this server. */
function localPart(name: string, serverName: string): string {
  if (!name.startsWith('@')) return name;
  const colon = name.indexOf(':');
  if (name.slice(colon + 1) === serverName && colon > 0) return name.slice(1, colon);
  throw new UsageError(`${name} is not a name on ${serverName}`);
}

import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Command } from './command.ts';
import { exitCodes, UsageError } from './failure.ts';
import type { OpenHandlers } from './remote-command.ts';
import { callServer } from './remote-command.ts';

export function userAdd(openHandlers: OpenHandlers): Command {
  return {
    name: 'user add',
    positionals: ['NAME'],
    summary: 'Makes an account, also while the server runs. Without a password it makes one up and prints it.',
    options: {
      password: {
        value: 'PASSWORD',
        help: 'The password. Other users of this machine can see it: better use standard input.',
      },
      'password-stdin': { help: 'Reads the password from standard input, up to the end of the first line.' },
      admin: { help: 'Makes the account an administrator.' },
    },
    takesConfig: true,
    async run({ positionals: [name = ''], options, print, loadConfig }) {
      if (options.has('password') && options.has('password-stdin')) {
        throw new UsageError('--password and --password-stdin exclude each other');
      }
      const config = await loadConfig();
      const given = options.get('password') ?? (options.has('password-stdin') ? await readPassword() : undefined);
      if (given === '') throw new UsageError('the password is empty');
      const password = given ?? randomBytes(15).toString('base64url');
      const params = { name: localPart(name, config.serverName), password, admin: options.has('admin') };
      const result = await callServer(config, openHandlers, 'user.add', params);
      print(`Made ${(result as { user_id: string }).user_id}${given === undefined ? `, password ${password}` : ''}`);
      return exitCodes.fine;
    },
  };
}

async function readPassword(): Promise<string> {
  const input = await text(process.stdin);
  return input.split(/\r?\n/, 1)[0] ?? '';
}

/** Both `alice` and `@alice:example.org` name an account of this server. */
function localPart(name: string, serverName: string): string {
  if (!name.startsWith('@')) return name;
  const colon = name.indexOf(':');
  if (name.slice(colon + 1) === serverName && colon > 0) return name.slice(1, colon);
  throw new UsageError(`${name} is not a name on ${serverName}`);
}

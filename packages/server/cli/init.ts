import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { renderConfigFile } from '../config/render.ts';
import { schema } from '../config/schema.ts';
import { createSigningKey, signingKeyFile } from '../process/signing-key.ts';
import type { Command } from './command.ts';
import { CommandError } from '../process/command-error.ts';
import { exitCodes } from './failure.ts';

export const init: Command = {
  name: 'init',
  positionals: ['FILE'],
  summary: 'Writes a commented configuration file and a signing key; never overwrites.',
  options: { 'server-name': { value: 'NAME', help: 'The name behind the colon in user IDs. It cannot change later.' } },
  takesConfig: false,
  async run({ positionals: [file = ''], options, print }) {
    const name = options.get('server-name') ?? 'localhost';
    // Read with the same rules as everything else, without what the environment says.
    const flags = new Map([['server-name', name]]);
    const { serverName } = await loadConfig({ flags, environment: {} });
    writeNew(file, renderConfigFile(schema, new Map([['server_name', serverName]])));
    print(`Wrote ${file}`);
    const { dataDir } = await loadConfig({ file, environment: {} });
    const key = signingKeyFile(dataDir);
    print(createSigningKey(key) ? `Wrote the signing key ${key}` : `Kept the signing key ${key}, which was there`);
    print(`Start the server with: bin/portico serve --config ${file}`);
    return exitCodes.fine;
  },
};

/** The file may get secrets, so others may not read it. */
function writeNew(file: string, content: string): void {
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    writeFileSync(file, content, { flag: 'wx', mode: 0o640 });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new CommandError(`${file} exists already, and is left as it is`);
    }
    throw new CommandError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

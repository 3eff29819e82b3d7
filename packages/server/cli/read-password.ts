import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { Option } from './command.ts';
import { UsageError } from './failure.ts';

export const passwordOptions: Readonly<Record<string, Option>> = {
  password: {
    value: 'PASSWORD',
    help: 'The password. Other users of this machine can see it: better use standard input.',
  },
  'password-stdin': { help: 'Reads the password from standard input, up to the end of the first line.' },
};

export type ChosenPassword = {
  readonly password: string;
  /** To be shown to the person, who does not know it yet. */
  readonly isMadeUp: boolean;
};

/** The password that was given, in whichever way, or one that nobody guesses. */
export async function readPassword(options: ReadonlyMap<string, string>): Promise<ChosenPassword> {
  if (options.has('password') && options.has('password-stdin')) {
    throw new UsageError('--password and --password-stdin exclude each other');
  }
  const given = options.get('password') ?? (options.has('password-stdin') ? await firstLine() : undefined);
  if (given === '') throw new UsageError('the password is empty');
  return { password: given ?? randomBytes(15).toString('base64url'), isMadeUp: given === undefined };
}

async function firstLine(): Promise<string> {
  const input = await text(process.stdin);
  return input.split(/\r?\n/, 1)[0] ?? '';
}

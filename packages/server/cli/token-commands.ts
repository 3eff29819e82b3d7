import type { Command, CommandInput } from './command.ts';
import { exitCodes, UsageError } from './failure.ts';
import type { OpenHandlers } from './remote-command.ts';
import { callServer } from './remote-command.ts';

export type RegistrationTokenRow = {
  readonly token: string;
  readonly uses_allowed: number | null;
  readonly uses: number;
  readonly expires_ts: number | null;
};

/** The commands about registration tokens, with which people sign up where `registration.mode` is `token`. */
export function tokenCommands(openHandlers: OpenHandlers): Command[] {
  const call = async (input: CommandInput, method: string, params: Record<string, unknown>) =>
    callServer(await input.loadConfig(), openHandlers, method, params);
  const common = { takesConfig: true, options: {} };
  return [
    {
      ...common,
      name: 'token add',
      positionals: ['[TOKEN]'],
      summary: 'Makes a registration token, of the given text or a random one, and prints it.',
      options: {
        uses: { value: 'COUNT', help: 'How many accounts can be made with it; any number without this.' },
        days: { value: 'DAYS', help: 'How long it is valid; without end without this.' },
      },
      async run(input) {
        const [token] = input.positionals;
        const uses = readCount(input.options.get('uses'), '--uses');
        const days = readCount(input.options.get('days'), '--days');
        const expires = days === undefined ? {} : { valid_for_ms: days * 86_400_000 };
        const params = {
          ...(token === undefined ? {} : { token }),
          ...(uses === undefined ? {} : { uses }),
          ...expires,
        };
        const result = await call(input, 'token.add', params);
        input.print((result as { token: string }).token);
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'token list',
      positionals: [],
      summary: 'Lists the registration tokens, how often they were used, and until when they are valid.',
      async run(input) {
        const { tokens } = (await call(input, 'token.list', {})) as { tokens: readonly RegistrationTokenRow[] };
        for (const row of tokens) input.print(describeToken(row));
        return exitCodes.fine;
      },
    },
    {
      ...common,
      name: 'token revoke',
      positionals: ['TOKEN'],
      summary: 'Makes a registration token invalid.',
      async run(input) {
        await call(input, 'token.revoke', { token: input.positionals[0] });
        return exitCodes.fine;
      },
    },
  ];
}

function describeToken({ token, uses, uses_allowed: allowed, expires_ts: expires }: RegistrationTokenRow): string {
  const used = `used ${uses}${allowed === null ? ' times' : ` of ${allowed} times`}`;
  return `${token}  ${used}  ${expires === null ? 'no end' : `until ${new Date(expires).toISOString()}`}`;
}

function readCount(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`${option} is ${text}: it must be a whole number from 1`);
  return Number(text);
}

import { parseRecord, type CommandParams } from './params.ts';
import type { AccountServices } from '../accounts/account-services.ts';

type Commands = Readonly<Record<string, (params: CommandParams) => Promise<unknown>>>;

/** What the command line asks about accounts and registration tokens. */
export function accountCommands(
  { registration, registrationTokens }: Pick<AccountServices, 'registration' | 'registrationTokens'>,
  now: () => number,
): Commands {
  return {
    'user.add': async (params) => {
      const { text, flag } = parseRecord(params);
      const user = { name: text('name'), password: text('password'), isAdmin: flag('admin') };
      return { user_id: await registration.create(user) };
    },
    'token.add': async (params) => {
      const { optionalText, optionalNumber } = parseRecord(params);
      const validFor = optionalNumber('valid_for_ms');
      const token = await registrationTokens.add({
        token: optionalText('token'),
        usesAllowed: optionalNumber('uses'),
        expiresAt: validFor === undefined ? undefined : now() + validFor,
      });
      return { token };
    },
    'token.list': async () => ({
      tokens: (await registrationTokens.list()).map((row) => ({
        token: row.token,
        uses: row.completed,
        uses_allowed: row.usesAllowed,
        expires_ts: row.expiresAt,
      })),
    }),
    'token.revoke': async (params) => {
      await registrationTokens.revoke(parseRecord(params).text('token'));
      return {};
    },
  };
}

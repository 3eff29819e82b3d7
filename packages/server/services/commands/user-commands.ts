import { userIdOf } from '../accounts/names.ts';
import type { AccountCare } from '../accounts/account-care.ts';
import { type CommandParams, parseRecord } from './params.ts';

type Commands = Readonly<Record<string, (params: CommandParams) => Promise<unknown>>>;

/** What the command line asks about one account, which it names as people do: `alice` or `@alice:example.org`. */
export function userCommands(care: AccountCare, serverName: string): Commands {
  type Fields = ReturnType<typeof parseRecord>;
  const about = (answer: (userId: string, fields: Fields) => Promise<object | undefined>) => {
    return async (params: CommandParams) => {
      const fields = parseRecord(params);
      const userId = userIdOf(fields.text('name'), serverName);
      return { user_id: userId, ...(await answer(userId, fields)) };
    };
  };
  return {
    'user.show': about(async (userId) => {
      const { isAdmin, isLocked, isSuspended, hasPassword, createdAt, deactivatedAt, emails, devices } =
        await care.describe(userId);
      return {
        admin: isAdmin,
        locked: isLocked,
        suspended: isSuspended,
        password: hasPassword,
        created_ts: createdAt,
        deactivated_ts: deactivatedAt,
        emails: emails.map(({ address }) => address),
        devices,
      };
    }),
    'user.set-password': about(async (userId, { text, flag }) => {
      await care.setPassword(userId, text('password'), { keepsDevices: flag('keep_devices') });
      return undefined;
    }),
    'user.email.add': about(async (userId, { text }) => ({ address: await care.addEmail(userId, text('address')) })),
    'user.email.remove': about(async (userId, { text }) => {
      await care.removeEmail(userId, text('address'));
      return undefined;
    }),
    'user.devices': about(async (userId) => ({ devices: await care.listDevices(userId) })),
    'user.logout': about(async (userId, { optionalText }) => ({
      devices: await care.logOut(userId, optionalText('device_id')),
    })),
    'user.set-admin': about(async (userId, { flag }) => {
      await care.setAdmin(userId, flag('admin'));
      return undefined;
    }),
    'user.deactivate': about(async (userId, { flag }) => {
      await care.deactivate(userId, { erase: flag('erase') });
      return undefined;
    }),
  };
}

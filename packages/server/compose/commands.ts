import { findRefusal } from '../errors/from-storage.ts';
import { CommandError } from '../process/command-error.ts';
import type { CommandHandlers } from '../process/command-socket.ts';
import type { AccountServices } from '../services/accounts/account-services.ts';
import { accountCommands } from '../services/commands/account-commands.ts';
import { userCommands } from '../services/commands/user-commands.ts';
import { program } from './federation.ts';

type Context = {
  readonly accounts: AccountServices;
  readonly serverName: string;
  readonly now: () => number;
};

/** What the command line can ask of the server. */
export function createCommands({ accounts, serverName, now }: Context): CommandHandlers {
  return withRefusals({
    status: async () => ({ ...program, pid: process.pid }),
    ...accountCommands(accounts, now),
    ...userCommands(accounts.care, serverName),
  });
}

/** What a service refuses is an answer that the person at the command line is told. */
function withRefusals(handlers: CommandHandlers): CommandHandlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handle]) => [
      name,
      async (params) => {
        try {
          return await handle(params);
        } catch (error) {
          const refusal = findRefusal(error);
          throw refusal ? new CommandError(refusal.message) : error;
        }
      },
    ]),
  );
}

import type { Config } from '../config/config.ts';
import type { CommandHandlers } from '../process/command-socket.ts';
import { callRunningServer } from '../process/command-client.ts';
import { StartError } from '../process/start-error.ts';
import { CommandError } from '../process/command-error.ts';

/** Opens the data folder in this process, for a command while no server runs. */
export type OpenHandlers = (config: Config) => Promise<{ handlers: CommandHandlers; close: () => Promise<void> }>;

/** Runs a method in the server that owns the data folder; where none runs, in this process. */
export async function callServer(
  config: Config,
  openHandlers: OpenHandlers,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const reply = await callRunningServer(config.dataDir, method, params);
  if (reply.kind === 'answer') return reply.result;
  if (reply.kind === 'refused') throw new CommandError(reply.message);
  const opened = await openOrExplain(config, openHandlers);
  try {
    const handler = opened.handlers[method];
    if (!handler) throw new CommandError(`This version of Portico does not know ${method}`);
    return await handler(params);
  } finally {
    await opened.close();
  }
}

async function openOrExplain(config: Config, openHandlers: OpenHandlers) {
  try {
    return await openHandlers(config);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new CommandError(`There is no running server to ask, and without one: ${error.message}`, { cause: error });
  }
}

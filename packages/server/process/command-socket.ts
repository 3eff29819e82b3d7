import { chmodSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { CommandError } from './command-error.ts';
import { socketAddress } from './socket-address.ts';

/**
 * What the command line may ask of a running server. Each line of the socket is a JSON object `{ method, params }`, each
 * answer `{ result }` or `{ error: message }`. A handler's `CommandError` is told to the caller; anything else is not.
 */
export type CommandHandlers = Readonly<Record<string, (params: Readonly<Record<string, unknown>>) => Promise<unknown>>>;

type SocketLog = { error(fields: object, message: string): void };

const longestLine = 64 * 1024;

/** Listens on the socket in the data folder, which only its owner may open. The caller holds the folder's lock. */
export async function startCommandSocket(options: {
  dataDir: string;
  handlers: CommandHandlers;
  log: SocketLog;
}): Promise<{ close: () => Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    void serve(socket, options);
  });
  const address = socketAddress(options.dataDir);
  // One that is there is of a process that has died, since the folder is ours.
  rmSync(address.path, { force: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(address.path, resolve);
  await promise;
  chmodSync(address.path, 0o600);
  return {
    async close() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of open) socket.destroy();
      await closed;
      address.close();
    },
  };
}

async function serve(socket: Socket, { handlers, log }: { handlers: CommandHandlers; log: SocketLog }): Promise<void> {
  let length = 0;
  socket.on('data', (chunk) => {
    length += chunk.length;
    if (length > longestLine) socket.destroy();
  });
  try {
    for await (const line of createInterface({ input: socket })) {
      length = 0;
      const answer = await answerLine(line, handlers, log);
      if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
    }
  } catch (error) {
    log.error({ err: error }, 'the command socket failed');
  }
}

async function answerLine(line: string, handlers: CommandHandlers, log: SocketLog): Promise<object> {
  const call = parseCall(line);
  if (!call) return { error: 'The running server did not understand this: it may be of another version' };
  const handler = Object.hasOwn(handlers, call.method) ? handlers[call.method] : undefined;
  if (!handler) return { error: `The running server does not know ${call.method}: it may be of another version` };
  try {
    return { result: (await handler(call.params)) ?? null };
  } catch (error) {
    if (error instanceof CommandError) return { error: error.message };
    log.error({ err: error, method: call.method }, 'a command failed');
    return { error: 'The server failed to do this; its log says why' };
  }
}

function parseCall(line: string): { method: string; params: Readonly<Record<string, unknown>> } | undefined {
  try {
    const call: unknown = JSON.parse(line);
    if (typeof call !== 'object' || call === null || !('method' in call) || !('params' in call)) return undefined;
    const { method, params } = call;
    if (typeof method !== 'string' || typeof params !== 'object' || params === null) return undefined;
    return { method, params: { ...params } };
  } catch {
    return undefined;
  }
}

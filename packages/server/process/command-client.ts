import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { socketAddress } from './socket-address.ts';

export type ServerReply =
  | { readonly kind: 'answer'; readonly result: unknown }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'no-server' };

/** Asks the server that runs on a data folder, if one does. */
export async function callRunningServer(
  dataDir: string,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<ServerReply> {
  const address = socketAddress(dataDir);
  try {
    const socket = await open(address.path);
    return socket ? await call(socket, { method, params }) : { kind: 'no-server' };
  } finally {
    address.close();
  }
}

/** Nobody listens: there is no socket, or it is of a process that has died. */
const absent = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ENOTSOCK']);

async function open(path: string): Promise<Socket | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket | undefined>();
  const socket = connect(path, () => resolve(socket));
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (absent.has(error.code ?? '')) resolve(undefined);
    else reject(error);
  });
  return promise;
}

async function call(socket: Socket, request: object): Promise<ServerReply> {
  socket.on('error', () => socket.destroy());
  socket.write(`${JSON.stringify(request)}\n`);
  try {
    for await (const line of createInterface({ input: socket })) {
      const answer = JSON.parse(line) as { result?: unknown; error?: string };
      return answer.error === undefined
        ? { kind: 'answer', result: answer.result }
        : { kind: 'refused', message: answer.error };
    }
    return { kind: 'refused', message: 'The server went away before it answered; it may or may not have done it' };
  } finally {
    socket.destroy();
  }
}

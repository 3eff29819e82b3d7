import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

type Options = {
  /** The port that others know. */
  readonly port: number;
  /** The one behind it, on loopback. */
  readonly to: number;
};

/** The way to a server, which can be closed while the server itself goes on. */
export interface Route {
  /** Ends all connections, and takes no new ones. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function openRoute({ port, to }: Options): Promise<Route> {
  const sockets = new Set<Socket>();
  let isCut = false;

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  }

  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((incoming) => {
    if (isCut) {
      incoming.destroy();
      return;
    }
    const onward = connect({ host: '127.0.0.1', port: to });
    const ends = [incoming, onward];
    for (const socket of ends) {
      keep(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => ends.forEach((each) => each.destroy()));
    }
    incoming.pipe(onward).pipe(incoming);
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    cut() {
      isCut = true;
      endAll();
    },
    mend() {
      isCut = false;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      endAll();
      await closed;
    },
  };
}

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Connections to ports of this machine on which everything takes its time. */
export interface FarAway {
  /** Reset rather than destroyed, such a connection loses what is on its way. */
  connect(port: number): Socket;
  close(): Promise<void>;
}

/** Does what it is given after some time each, in the order in which it is given it. */
function createLine(lag: () => number): (act: () => void) => void {
  let before = Promise.resolve();
  return (act) => {
    const arrival = pause(lag(), undefined, { ref: false });
    before = before.then(() => arrival).then(act);
  };
}

function forward(from: Socket, to: Socket, lag: () => number): void {
  const line = createLine(lag);
  from.on('data', (chunk) => line(() => void to.write(chunk)));
  from.on('end', () => line(() => void to.end()));
}

/** Connections go through a port of its own, on which a first line says where to. Each piece is held back by a lag. */
export async function startFarAway(lag: () => number): Promise<FarAway> {
  const open = new Set<Socket>();

  function accept(near: Socket): void {
    open.add(near);
    near.once('close', () => open.delete(near)).on('error', () => undefined);
    near.once('data', (first: Buffer) => {
      const end = first.indexOf('\n');
      const port = Number(first.toString('latin1', 0, end));
      const far = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
      open.add(far);
      near.on('error', () => far.destroy());
      far.once('close', () => open.delete(far)).on('error', () => near.destroy());
      forward(near, far, lag);
      forward(far, near, lag);
      if (end + 1 < first.length) near.unshift(first.subarray(end + 1));
    });
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    connect(port) {
      const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, noDelay: true });
      socket.write(`${port}\n`);
      return socket;
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

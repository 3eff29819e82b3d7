import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

/** The connections of a listener. */
export interface Connections {
  /**
   * Cuts those that no answer is due on: without a request, with the beginning of one, and those from which nothing more
   * of a request has come for a moment. To be called again and again. `sparing` is for how long a connection may have been
   * without a request, in milliseconds.
   */
  closeUnused(sparing?: number): void;
}

/** How long a request that has begun to arrive may pause, in milliseconds. */
const pause = 2000;

type Arriving = { readonly request: IncomingMessage; bytesRead: number; since: number };

/**
 * Knows which connections of a server are of use. Node's own `closeIdleConnections` spares those that have sent nothing yet,
 * or half a request, which anybody can have open as long as they like.
 */
export function watchConnections(server: Server | TlsServer, now = () => performance.now()): Connections {
  /** With when they were opened, or last answered. */
  const open = new Map<Socket, number>();
  /** With TLS, connections whose handshake is not over are no connections of requests yet. */
  const secured = new Set<string>();
  const busy = new Map<Socket, Arriving>();

  function add(socket: Socket): void {
    open.set(socket, now());
    socket.once('close', () => {
      open.delete(socket);
      busy.delete(socket);
    });
  }

  server.on('connection', add);
  server.on('secureConnection', (socket: Socket) => {
    const peer = peerOf(socket);
    secured.add(peer);
    add(socket);
    socket.once('close', () => secured.delete(peer));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    busy.set(socket, { request, bytesRead: socket.bytesRead, since: now() });
    response.once('close', () => {
      if (busy.get(socket)?.request !== request) return;
      busy.delete(socket);
      if (open.has(socket)) open.set(socket, now());
    });
  });

  /** Whether an answer is due to a request that is here, or goes on arriving. */
  function isOfUse(socket: Socket): boolean {
    const arriving = busy.get(socket);
    if (arriving === undefined) return !('encrypted' in socket) && secured.has(peerOf(socket));
    if (arriving.request.complete) return true;
    if (arriving.bytesRead !== socket.bytesRead) {
      arriving.bytesRead = socket.bytesRead;
      arriving.since = now();
    }
    return now() - arriving.since < pause;
  }

  return {
    closeUnused(sparing = 0) {
      const before = now() - sparing;
      for (const [socket, since] of open) {
        if (!isOfUse(socket) && (since <= before || busy.has(socket))) socket.destroy();
      }
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

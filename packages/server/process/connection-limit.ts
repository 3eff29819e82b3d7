import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Connections } from './connections.ts';

/** How many files, connections among them, the system lets this process have open; undefined where it does not say. */
export function openFilesLimit(): number | undefined {
  try {
    return parseOpenFilesLimit(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** Out of Linux's table of a process' limits, the one in force for open files. */
export function parseOpenFilesLimit(table: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(table) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/**
 * How many connections may come in where so many files may be open. The others are for the database, for media, and for connections
 * to other servers: without any left, whoever opens connections would stop all of these as well.
 */
export function connectionsWithin(openFiles: number): number {
  return openFiles - Math.max(Math.min(128, Math.floor(openFiles / 2)), Math.floor(openFiles / 8));
}

/** How long a connection may be without a request while there is no room for others, in milliseconds. */
const sparing = 2000;
/** How often room is looked for, in milliseconds: that goes through all connections. */
const lookingEvery = 1000;

/** How often it is said that connections are refused, in milliseconds. */
const silence = 60_000;

type Options = {
  readonly most: number;
  /** Told of refused connections, at once of the first one and then once a minute, with how many there were since. */
  readonly onRefused: (refused: number) => void;
  readonly now?: () => number;
};

/**
 * Cuts what comes in beyond so many connections of all servers together, and then those that nothing is asked on: whoever only opens
 * connections keeps nobody out for longer than a moment.
 */
export function createConnectionLimit({ most, onRefused, now = Date.now }: Options) {
  const watched: Connections[] = [];
  let open = 0;
  let refused = 0;
  let said = -Infinity;
  let looked = -Infinity;

  function refuse(socket: Socket): void {
    socket.resetAndDestroy();
    refused++;
    if (now() - looked >= lookingEvery) {
      looked = now();
      for (const connections of watched) connections.closeUnused(sparing);
    }
    if (now() - said < silence) return;
    said = now();
    onRefused(refused);
    refused = 0;
  }

  return {
    /** How many are open. */
    open: () => open,
    watch(server: Server | TlsServer, connections: Connections): void {
      watched.push(connections);
      server.prependListener('connection', (socket) => {
        if (open >= most) return refuse(socket);
        open++;
        socket.once('close', () => open--);
      });
    },
  };
}

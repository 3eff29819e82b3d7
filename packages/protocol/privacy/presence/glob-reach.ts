import { matchesGlob } from '../../glob.ts';
import { isServerName } from '../../ids/server-name.ts';

/** Whether a glob can match anybody of a server: any `@localpart:server`, where no localpart has a colon. */
export function canMatchServer(glob: string, server: string): boolean {
  const known = serverOfGlob(glob);
  if (known !== undefined && known !== server) return false;
  if (!/^[@*?]/.test(glob)) return false;
  const domain = `:${server}`;
  for (let index = 0; index < glob.length; index++) {
    const symbol = glob[index];
    // What stands before is for the localpart, from here on is for the domain; a star may be for both.
    const isBoundary = symbol === '*' || (index > 0 && (symbol === ':' || symbol === '?'));
    if (isBoundary && matchesGlob(glob.slice(index), domain)) return true;
    if (symbol === ':') return false;
  }
  return false;
}

/** The server of all people whom a glob can match, if what stands behind its last wildcard names one. */
export function serverOfGlob(glob: string): string | undefined {
  const tail = glob.slice(Math.max(glob.lastIndexOf('*'), glob.lastIndexOf('?')) + 1);
  const colon = tail.indexOf(':');
  if (colon === -1) return undefined;
  const server = tail.slice(colon + 1);
  // What looks like a port may be the port of any server.
  return /^[0-9]{1,5}$/.test(server) || !isServerName(server) ? undefined : server;
}

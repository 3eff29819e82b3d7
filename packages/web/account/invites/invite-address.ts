import { isGlob } from '@portico/protocol/glob.ts';
import { isServerName } from '@portico/protocol/ids/server-name.ts';
import { isUserId } from '@portico/protocol/ids/user-id.ts';
import type { Treatment } from './invite-settings.ts';
import type { Entry } from './invite-settings.ts';

/** What somebody has typed to name inviters: a person, a server, or a pattern of either. */
export function readInviteEntry(typed: string, treatment: Treatment): Pick<Entry, 'list' | 'entry'> | undefined {
  const entry = typed.trim();
  if (entry.startsWith('@')) {
    return isUserId(entry) || isGlob(entry) ? { list: `${treatment}_users`, entry } : undefined;
  }
  // A server is meant with all its ports.
  const server = entry.replace(/:\d+$/, '');
  const isName = isGlob(server) ? /^[\w.*?:[\]-]+$/.test(server) : isServerName(server) && /[.:]/.test(server);
  return isName ? { list: `${treatment}_servers`, entry: server } : undefined;
}

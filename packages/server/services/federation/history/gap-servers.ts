import { parseServerName, serverNameOf, type ServerName } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { readHosts } from '@portico/storage/stores/federation/federation-rooms.ts';

/** Servers of a room that are asked about its past, one after the other: the most likely to know it first. */
export async function serversToAsk(
  reader: Reader,
  own: string,
  { roomNid, roomId, sender }: { readonly roomNid: number; readonly roomId: string; readonly sender?: string },
  most: number,
): Promise<readonly ServerName[]> {
  const hosts = await readHosts(reader, roomNid, most + 1);
  const inRoom = new Set(hosts);
  const likely = [sender === undefined ? undefined : serverNameOf(sender), serverNameOf(roomId)];
  const named = [...likely.filter((name) => name !== undefined && inRoom.has(name)), ...hosts];
  const servers = new Set(named.map((name) => parseServerName(name ?? '')).filter((name) => name !== undefined));
  return [...servers].filter((name) => name !== own).slice(0, most);
}

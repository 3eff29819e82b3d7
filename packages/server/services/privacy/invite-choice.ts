import { isJsonObject, parseJson, serverNameOf, splitServerName } from '@portico/protocol';
import { createGlobList } from '@portico/protocol/privacy/invites/glob-list.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** Which pending invitations are meant. A list that is left out leaves nothing out. */
export type InviteChoice = {
  readonly room_ids?: readonly string[];
  /** Globs of the inviters' IDs, and of their servers' names. */
  readonly users?: readonly string[];
  readonly servers?: readonly string[];
  /** Also those that the person's rules hide from them. */
  readonly include_hidden?: boolean;
};

/** Whether an invitation is meant, as far as it can be said without the person's rules. */
export type ChosenInvite = (invite: { readonly roomId: string; readonly inviter: string }) => boolean;

const maxEntries = 1000;
const maxBytes = 64 * 1024;

/** As a job keeps it. Throws for more than a job should keep. */
export function formatChoice(choice: InviteChoice): string {
  const text = JSON.stringify(choice);
  const entries = [choice.room_ids, choice.users, choice.servers].reduce((sum, list) => sum + (list?.length ?? 0), 0);
  if (entries > maxEntries || Buffer.byteLength(text) > maxBytes) throw new MatrixError('request.too-large');
  return text;
}

export function parseChoice(text: string): InviteChoice {
  const value = parseJson(text);
  return isJsonObject(value) ? value : {};
}

export function compileChoice({ room_ids: roomIds, users, servers }: InviteChoice): ChosenInvite {
  const rooms = roomIds && new Set(roomIds);
  const userList = users && createGlobList(users, { ignoreCase: false });
  const serverList = servers && createGlobList(servers, { ignoreCase: true });
  return ({ roomId, inviter }) => {
    const server = serverNameOf(inviter) ?? '';
    const host = splitServerName(server)?.host ?? server;
    return (
      (rooms === undefined || rooms.has(roomId)) &&
      (userList === undefined || userList.find(inviter) !== undefined) &&
      (serverList === undefined || serverList.find(host) !== undefined)
    );
  };
}

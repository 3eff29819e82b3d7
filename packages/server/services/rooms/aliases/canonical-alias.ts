import { isRoomAlias, type JsonObject, type JsonValue, serverNameOf } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { readRoomsOfAliases } from '@portico/storage/stores/directory/room-aliases.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ReadState } from '../read-state.ts';
import type { RoomParts } from '../room-parts.ts';
import { maySetCanonicalAlias } from './canonical-alias-power.ts';

type Dependencies = {
  readonly db: Reader;
  readonly readState: ReadState;
  readonly serverName: string;
  readonly locate: RoomParts['locate'];
};

/** New aliases of other servers in one event: each is a question to one of them. */
const maxElsewhere = 10;

/**
 * Refuses an `m.room.canonical_alias` with new aliases that are none, or do not point at the room.
 *
 * "When a new alias is added to the event, homeservers SHOULD ensure that the alias points to the room":
 * {@link https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias}
 */
export async function checkCanonicalAlias(
  { db, readState, serverName, locate }: Dependencies,
  { roomNid, roomId }: { readonly roomNid: number; readonly roomId: string },
  sender: string,
  content: JsonObject,
): Promise<void> {
  // Other servers are asked about their aliases: not for those whose event would be refused all the same.
  if (!(await maySetCanonicalAlias(readState, roomNid, sender))) {
    throw new MatrixError('forbidden', { message: 'You may not set the aliases of this room.' });
  }
  const { state } = await readState(roomNid, [['m.room.canonical_alias', '']]);
  const known = new Set(listed(state('m.room.canonical_alias')?.content ?? {}));
  const wanted = [...new Set(listed(content))].filter((alias) => !known.has(alias));
  const isHere = (alias: string): boolean => serverNameOf(alias) === serverName;
  const rooms = await readRoomsOfAliases(db, wanted);
  for (const alias of wanted) if (isHere(alias) && rooms.get(alias) !== roomNid) throw leadsElsewhere(alias);
  const elsewhere = wanted.filter((alias) => !isHere(alias));
  if (elsewhere.length > maxElsewhere) {
    throw new MatrixError('alias.bad', {
      message: `No more than ${maxElsewhere} aliases of other servers can be added at once.`,
    });
  }
  await Promise.all(elsewhere.map((alias) => checkElsewhere(locate, alias, roomId)));
}

/** The same for a room that is yet to be made: nothing points at it but the alias that it is made with, if there is one. */
export function checkFirstCanonicalAlias(content: JsonObject, ofRoom: string | undefined): void {
  for (const alias of listed(content)) if (alias !== ofRoom) throw leadsElsewhere(alias);
}

async function checkElsewhere(locate: RoomParts['locate'], alias: string, roomId: string): Promise<void> {
  let found: string;
  try {
    found = (await locate(alias)).roomId;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    throw new MatrixError('alias.bad', { message: `${alias} cannot be looked up.` });
  }
  if (found !== roomId) throw leadsElsewhere(alias);
}

function leadsElsewhere(alias: string): MatrixError {
  return new MatrixError('alias.bad', { message: `${alias} does not point at this room.` });
}

/** Every alias in the content. Throws for what is no alias. */
function listed({ alias, alt_aliases: others = [] }: JsonObject): string[] {
  const aliases: JsonValue[] = alias === undefined || alias === null || alias === '' ? [] : [alias];
  if (!Array.isArray(others)) throw notAnAlias('alt_aliases is not an array.');
  aliases.push(...others);
  return aliases.map((item) => {
    if (typeof item !== 'string' || !isRoomAlias(item)) throw notAnAlias('There is something that is not an alias.');
    return item;
  });
}

function notAnAlias(message: string): MatrixError {
  return new MatrixError('request.invalid-param', { message });
}

/** The content without some aliases, or `undefined` if it has none of them. */
export function withoutAliases(content: JsonObject, gone: (alias: string) => boolean): JsonObject | undefined {
  const { alias, alt_aliases: others, ...rest } = content;
  const isGone = (item: JsonValue | undefined): boolean => typeof item === 'string' && gone(item);
  const left = Array.isArray(others) ? others.filter((item) => !isGone(item)) : undefined;
  if (!isGone(alias) && left?.length === (Array.isArray(others) ? others.length : undefined)) return undefined;
  return {
    ...rest,
    ...(alias === undefined || isGone(alias) ? {} : { alias }),
    ...(left === undefined || left.length === 0 ? {} : { alt_aliases: left }),
  };
}

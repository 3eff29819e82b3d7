import { passesRooms } from '@portico/protocol/sync-filter/event-filter.ts';
import type { OnlineUser } from './online-index.ts';
import { readerFor, type SyncContext, type SyncPass } from './pass.ts';
import type { JoinedPlan } from './plan.ts';
import type { RoomParts, StreamParts, SyncStream } from './streams.ts';

export type Gathered = {
  readonly fields: ReadonlyMap<string, string>;
  readonly accountData: readonly string[];
  readonly rooms: ReadonlyMap<number, RoomParts>;
  /** By letter: what the next token says of streams that said so. */
  readonly serials: ReadonlyMap<string, string>;
};

/** Reads each stream that may have something new for the user, in the rooms where that may be. */
export async function readStreams(
  context: SyncContext,
  streams: readonly SyncStream[],
  user: OnlineUser,
  plans: readonly JoinedPlan[],
  pass: SyncPass,
  serials: ReadonlyMap<string, string>,
): Promise<Gathered> {
  const { since, userId, deviceId, upTo, filter } = pass;
  const newRooms = new Set(plans.filter((plan) => plan.isNew).map((plan) => plan.entry.nid));
  const reader = readerFor(context, since === undefined ? plans.length : newRooms.size);
  const allRooms = () => new Map(plans.map(({ entry }) => [entry.nid, entry.id]));
  const reads: Promise<StreamParts>[] = [];
  const serialsNow = new Map<string, string>();
  for (const stream of streams) {
    if (stream.isSlidingOnly === true) continue;
    const rooms = new Map<number, string>();
    for (const { entry, isNew } of plans) {
      if (!passesRooms(filter.room, entry.id)) continue;
      if (isNew || roomMayHave(stream, entry.room, since)) rooms.set(entry.nid, entry.id);
    }
    const serial = stream.serial && serials.get(stream.serial.letter);
    const isPending = since === undefined || stream.serial?.isPending(userId, serial) === true;
    const mayConcernUser = since === undefined || userMayHave(stream, user, since);
    const mayConcernOthers = since !== undefined && stream.isOfPeople === true && someRoomMayHave(stream, user, since);
    if (!isPending && rooms.size === 0 && !mayConcernUser && !mayConcernOthers) continue;
    const what = { since, upTo, serial, filter, rooms, newRooms, allRooms, mayConcernUser };
    const read = stream.read({ reader, userId, deviceId, ...what });
    reads.push(read.then((parts) => noteSerial(serialsNow, stream, parts)));
  }
  return { ...merge(await Promise.all(reads)), serials: serialsNow };
}

function noteSerial(serials: Map<string, string>, { serial }: SyncStream, parts: StreamParts): StreamParts {
  if (serial !== undefined && parts.serial !== undefined) serials.set(serial.letter, parts.serial);
  return parts;
}

/** Whether the user may have something new of a stream, besides what concerns their rooms. */
export function userMayHave({ kinds }: SyncStream, user: OnlineUser, since: number): boolean {
  for (const [kind, of] of kinds) {
    if (of === 'user' && (since < user.knownSince || (user.streams.get(kind) ?? -1) > since)) return true;
  }
  return false;
}

/** Whether a room may have something new of a stream. */
export function roomMayHave(
  { kinds }: Pick<SyncStream, 'kinds'>,
  room: JoinedPlan['entry']['room'],
  since: number | undefined,
): boolean {
  for (const [kind, of] of kinds) {
    if (of !== 'room') continue;
    if (since === undefined || room === undefined || since < room.knownSince) return true;
    if ((room.streams.get(kind) ?? -1) > since) return true;
  }
  return false;
}

/** Whether any room of the user may have something new of a stream. */
export function someRoomMayHave(stream: Pick<SyncStream, 'kinds'>, { rooms }: OnlineUser, since: number): boolean {
  return rooms.values().some(({ room }) => room !== undefined && roomMayHave(stream, room, since));
}

function merge(parts: readonly StreamParts[]): Omit<Gathered, 'serials'> {
  const fields = new Map<string, string>();
  const accountData: string[] = [];
  const rooms = new Map<number, RoomParts>();
  for (const part of parts) {
    for (const [name, text] of part.fields ?? []) fields.set(name, text);
    accountData.push(...(part.accountData ?? []));
    for (const [nid, more] of part.rooms ?? []) {
      const before = rooms.get(nid);
      rooms.set(nid, {
        ephemeral: [...(before?.ephemeral ?? []), ...(more.ephemeral ?? [])],
        accountData: [...(before?.accountData ?? []), ...(more.accountData ?? [])],
        sticky: [...(before?.sticky ?? []), ...(more.sticky ?? [])],
        recount: before?.recount === true || more.recount === true,
      });
    }
  }
  return { fields, accountData, rooms };
}

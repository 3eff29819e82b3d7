import type { Reader } from '@portico/storage';
import {
  type LogEvent,
  type Range,
  readAliasesOf,
  readLog,
  readLogMoves,
  readOutside,
} from '@portico/storage/stores/app-services/app-service-log.ts';
import {
  countAppServiceMembers,
  findAppServiceMembers,
} from '@portico/storage/stores/app-services/app-service-members.ts';
import type { AppService } from '../app-service.ts';
import { findInterest, type Interest } from './interest.ts';

/** A stretch of the log, and what of it a service is to have. */
export type Plan = Interest & { readonly range: Range };

/** Events that are looked at, and that are sent, at once. */
const maxLooked = 500;
const maxSent = 100;
/** Characters of content that are sent at once, where it is not a single event that has more. */
const maxSize = 500_000;

type Context = { readonly db: Reader; readonly service: AppService; readonly serverName: string };

/** Plans the next transaction: no further than `upTo`, and no more than is good for one. */
export async function planNext(context: Context, { after, upTo }: Range): Promise<Plan> {
  const events = await readLog(context.db, { after, upTo }, maxLooked + 1);
  const looked = events.length > maxLooked ? wholePositions(events) : { events, upTo };
  if (looked.events.length === 0 && looked.upTo < upTo) return planRange(context, { after, upTo: looked.upTo });
  const found = await findWanted(context, { after, upTo: looked.upTo }, looked.events);
  const cut = cutAt(found.events);
  if (cut === undefined) return { ...found, range: { after, upTo: looked.upTo } };
  return planRange(context, { after, upTo: cut });
}

/** Plans a transaction of which it is known how far it goes: one that has been begun. */
export async function planRange(context: Context, range: Range): Promise<Plan> {
  const events = await readLog(context.db, range, Number.MAX_SAFE_INTEGER);
  return { ...(await findWanted(context, range, events)), range };
}

/** Without those of the last position: there may be more of it. */
function wholePositions(events: readonly LogEvent[]): { events: readonly LogEvent[]; upTo: number } {
  const last = events.at(-1)?.position ?? 0;
  const whole = events.filter(({ position }) => position < last);
  return { events: whole, upTo: whole.at(-1)?.position ?? last };
}

/** The last position that fits, unless all do. */
function cutAt(events: readonly LogEvent[]): number | undefined {
  let size = 0;
  for (const [index, event] of events.entries()) {
    size += event.size;
    if (index > 0 && (index >= maxSent || size > maxSize)) {
      const fitting = events[index - 1]?.position;
      return fitting === event.position ? event.position : fitting;
    }
  }
  return undefined;
}

async function findWanted(
  { db, service, serverName }: Context,
  range: Range,
  inRooms: readonly LogEvent[],
): Promise<Interest> {
  const outside = await readOutside(db, range, serverName);
  const events = outside.length === 0 ? inRooms : [...inRooms, ...outside].sort((a, b) => a.position - b.position);
  const moves = (await readLogMoves(db, range, serverName)).filter((move) => service.matchesUser(move.user_id));
  const roomNids = [...new Set([...events, ...moves].map(({ room_nid: roomNid }) => roomNid))];
  const [counts, present, named] = await Promise.all([
    countAppServiceMembers(db, service.id, roomNids),
    findAppServiceMembers(db, service.id, moves),
    findNamed(db, service, events),
  ]);
  return findInterest(service, { events, moves, counts, present, named });
}

async function findNamed(db: Reader, service: AppService, events: readonly LogEvent[]): Promise<ReadonlySet<number>> {
  const named = new Set<number>();
  const others = new Set<number>();
  for (const { room_nid: roomNid, room_id: roomId } of events) {
    if (service.matchesRoom(roomId)) named.add(roomNid);
    else others.add(roomNid);
  }
  if (!service.namesAliases) return named;
  for (const { room_nid: roomNid, alias } of await readAliasesOf(db, [...others])) {
    if (service.matchesAlias(alias)) named.add(roomNid);
  }
  return named;
}

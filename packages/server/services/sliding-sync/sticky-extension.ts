import { defaultFilter } from '@portico/protocol/sync-filter/filter.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { OnlineUser } from '../sync/online-index.ts';
import { besideTimeline } from '../sync/room-text.ts';
import { someRoomMayHave } from '../sync/stream-reads.ts';
import type { RoomParts } from '../sync/streams.ts';
import { stickyLetter } from '../sync/streams/sticky.ts';
import type { SyncCore } from '../sync/sync-core.ts';
import { formatSyncToken, parseSyncToken, type SyncToken } from '../sync/token.ts';
import { type ExtensionRequest, streamNamed } from './extension-request.ts';
import type { SlidingExtensions } from './request.ts';

/** What the extension has to tell, before what is in the timelines of the same answer is left out. */
export type StickyNews = { readonly nextBatch: string; readonly rooms: ReadonlyMap<number, RoomParts> };

export const stickyExtension = 'org.matrix.msc4354.sticky_events';

function parseSince(since: string | undefined): SyncToken | undefined {
  if (since === undefined) return undefined;
  const token = parseSyncToken(since);
  if (token !== undefined) return token;
  throw new MatrixError('request.invalid-param', {
    message: `'${stickyExtension}.since' is not a token of this server.`,
  });
}

/** Whether there may be sticky events behind a client's token for them, which is older than what else it has. */
export function mayHaveSticky(core: SyncCore, user: OnlineUser, since: string | undefined): boolean {
  const token = parseSince(since);
  if (token === undefined || token.serials.has(stickyLetter) || user.membershipPosition > token.position) return true;
  const stream = streamNamed(core, 'sticky');
  return someRoomMayHave(stream, user, token.position);
}

/**
 * Sticky events of all rooms that a list or a subscription is about, whether or not they are in a window. How far the client has
 * them it says itself.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4480}
 */
export async function readSticky(
  core: SyncCore,
  {
    request: { userId, deviceId },
    user,
    upTo,
    matched,
  }: Pick<ExtensionRequest, 'request' | 'user' | 'upTo' | 'matched'>,
  { since: text, limit }: NonNullable<SlidingExtensions['sticky']>,
): Promise<StickyNews | undefined> {
  const token = parseSince(text);
  if (token !== undefined && !mayHaveSticky(core, user, text)) return undefined;
  const parts = await streamNamed(core, 'sticky').read({
    reader: core.context.db,
    userId,
    deviceId,
    mayConcernUser: false,
    since: token?.position,
    upTo,
    serial: token?.serials.get(stickyLetter),
    filter: defaultFilter,
    limit,
    rooms: matched,
    newRooms: noRooms,
    allRooms: () => matched,
  });
  const serials = parts.serial === undefined ? [] : [[stickyLetter, parts.serial] as const];
  return { nextBatch: formatSyncToken(upTo, serials), rooms: parts.rooms ?? new Map() };
}

const noRooms: ReadonlySet<number> = new Set();

/** `isEmpty`: there is nothing to tell but how far the client has everything. */
export function stickyText(
  { nextBatch, rooms }: StickyNews,
  ids: ReadonlyMap<number, string>,
  timelines: ReadonlyMap<number, ReadonlySet<number>>,
): { readonly text: string; readonly isEmpty: boolean } {
  const texts: string[] = [];
  for (const [nid, { sticky }] of rooms) {
    const events = besideTimeline(sticky, timelines.get(nid) ?? noRooms);
    if (events.length > 0) texts.push(`${JSON.stringify(ids.get(nid))}:{"events":[${events.join(',')}]}`);
  }
  return { text: `{"next_batch":"${nextBatch}","rooms":{${texts.join(',')}}}`, isEmpty: texts.length === 0 };
}

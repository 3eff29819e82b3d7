import { type Reader } from '@portico/storage';
import { readStickyNews, type StickyPlace, type StickyRow } from '@portico/storage/stores/events/sticky-reads.ts';
import { type ClientEventRow, readEvents, readPdus } from '@portico/storage/stores/events/timeline.ts';
import { noRedactions } from '../../reading/client-event.ts';
import type { ErasedSenders } from '../../reading/erased-senders.ts';
import type { IgnoredUsers } from '../../reading/ignored-users.ts';
import { renderEvents } from '../render.ts';
import type { RoomParts, StickyPart, StreamRequest, SyncStream } from '../streams.ts';

type Dependencies = {
  readonly ignored: Pick<IgnoredUsers, 'of'>;
  readonly erasedSenders: ErasedSenders;
  readonly now: () => number;
};

/** In one answer; the rest comes with the next ones. */
export const maxStickyPerSync = 100;

/** Of the places in a client's token. */
export const stickyLetter = 'k';

/**
 * Events that are sticky still, to everybody who is in their room: "Any joined user is authorised to see sticky events for the
 * duration they remain sticky", whatever the history visibility. Each once; who joins a room is told of all that there are.
 * Those in the timeline of the same answer are left out by whoever puts the two together.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354}
 */
export function createStickyStream({ ignored, erasedSenders, now }: Dependencies): SyncStream {
  return {
    name: 'sticky',
    kinds: new Map([['sticky', 'room']]),
    serial: {
      letter: stickyLetter,
      current: () => undefined,
      isPending: (_userId, serial) => parsePlace(serial) !== undefined,
    },
    async read(request) {
      const { reader, userId, since, upTo, limit = maxStickyPerSync } = request;
      const started = parsePlace(request.serial);
      const rooms = started === undefined ? request.rooms : request.allRooms();
      if (rooms.size === 0) return {};
      const most = Math.min(Math.max(limit, 1), maxStickyPerSync);
      const range = { after: started ?? endOf(since ?? -1), upTo, now: now(), ignored: await ignored.of(userId) };
      const found = await readStickyNews(reader, userId, [...rooms.keys()], { ...range, limit: most + 1 });
      const told = found.slice(0, most);
      const last = told.at(-1);
      if (last === undefined) return {};
      return {
        rooms: await roomParts(request, told),
        ...(found.length > most && { serial: `${last.since}.${last.position}.${last.event_nid}` }),
      };
    },
  };

  async function roomParts(
    request: StreamRequest,
    told: readonly StickyRow[],
  ): Promise<ReadonlyMap<number, RoomParts>> {
    const rows = await readAll(request.reader, told);
    const erased = await erasedSenders.among(rows.map(({ sender }) => sender));
    const parts = new Map<number, { sticky: StickyPart[] }>();
    // What was redacted meanwhile is no longer sticky; who had everything erased that they said is not quoted.
    const shown = rows.filter(({ sticky_ms: duration, sender }) => duration !== null && !erased.has(sender));
    const pdus =
      request.filter.eventFormat === 'federation'
        ? await readPdus(
            request.reader,
            shown.map((row) => row.event_nid),
          )
        : undefined;
    const form = { fields: request.filter.eventFields, pdus };
    const style = { now: now(), device: request, redactions: noRedactions, membershipOf: () => undefined };
    for (const row of shown) {
      const ofRoom = parts.get(row.room_nid) ?? { sticky: [] };
      parts.set(row.room_nid, ofRoom);
      ofRoom.sticky.push({ nid: row.event_nid, text: renderEvents([row], form, style) });
    }
    return parts;
  }
}

/** In the order in which they are told. */
async function readAll(reader: Reader, told: readonly StickyRow[]): Promise<readonly ClientEventRow[]> {
  const rows = await readEvents(
    reader,
    told.map((row) => row.event_nid),
  );
  const byNid = new Map(rows.map((row) => [row.event_nid, row]));
  return told.map((row) => byNid.get(row.event_nid)).filter((row) => row !== undefined);
}

/** Behind everything that there was to be told of up to a position. */
function endOf(position: number): StickyPlace {
  return { since: position, position: Number.MAX_SAFE_INTEGER, eventNid: Number.MAX_SAFE_INTEGER };
}

function parsePlace(serial: string | undefined): StickyPlace | undefined {
  const match = /^(\d{1,10})\.(\d{1,10})\.(\d{1,15})$/.exec(serial ?? '');
  if (match === null) return undefined;
  const [, since, position, eventNid] = match;
  return { since: Number(since), position: Number(position), eventNid: Number(eventNid) };
}

import { passesEventFilter, passesNothing } from '@portico/protocol/sync-filter/event-filter.ts';
import type { StreamRequest, SyncStream } from '../sync/streams.ts';
import type { FanOut } from './fan-out.ts';
import { createPacer } from '../pacer.ts';
import type { PeopleRooms } from './people-rooms.ts';
import type { ShownMemory } from './shown-memory.ts';
import type { Sight } from './sight.ts';
import { lookOf, nothingToSee, presenceEvent } from './view.ts';
import type { Viewer, Viewers } from './viewers.ts';

const presenceType = 'm.presence';

type Dependencies = {
  readonly viewers: Viewers;
  readonly fanOut: Pick<FanOut, 'candidatesFor' | 'isPresent'>;
  readonly rooms: PeopleRooms;
  readonly sight: Sight;
  readonly shown: Pick<ShownMemory, 'take' | 'stored'>;
  /** Distinguishes this process from others, and from those before it: their serials mean nothing here. */
  readonly epoch: string;
  readonly now: () => number;
};

/**
 * Who is online, of those whom the reader may see. At first everyone who is not offline; later what has changed, and those
 * in rooms that come into view. Who is not to be seen any more is shown once more, as offline.
 */
export function createPresenceStream(deps: Dependencies): SyncStream {
  const { viewers, fanOut, rooms, sight, shown, epoch, now } = deps;
  const prefix = `${epoch}.`;

  function parse(serial: string | undefined): number {
    if (serial?.startsWith(prefix) !== true) return 0;
    const known = Number(serial.slice(prefix.length));
    return Number.isSafeInteger(known) ? known : 0;
  }

  async function open({ userId }: StreamRequest): Promise<Viewer> {
    const { viewer, wasAsleep } = viewers.open(userId);
    if (wasAsleep) {
      rooms.hold(userId);
      // Also where this device has nothing yet: their other devices have what they were shown.
      for (const other of await shown.take(userId)) viewers.remember(viewer, other);
    }
    await rooms.load([userId]);
    return viewer;
  }

  /** Of whom the reader may have to be told something. */
  function wanted({ since, serial, newRooms }: StreamRequest, viewer: Viewer): Set<string> {
    const known = parse(serial);
    const found = new Set<string>();
    if (since === undefined || known < viewer.knownSince) {
      for (const userId of fanOut.candidatesFor(viewer.userId)) found.add(userId);
      if (since !== undefined) for (const userId of viewer.shown.keys()) found.add(userId);
      return found;
    }
    for (const [userId, at] of viewer.news) if (at > known) found.add(userId);
    for (const roomNid of newRooms) {
      for (const userId of rooms.heldIn(roomNid)) if (fanOut.isPresent(userId)) found.add(userId);
    }
    return found;
  }

  return {
    name: 'presence',
    kinds: new Map(),
    serial: {
      letter: 'p',
      current: () => `${prefix}${viewers.serial()}`,
      isPending: (userId, serial) => viewers.hasNews(userId, parse(serial)),
      isDue: (userId, serial) => viewers.isDue(userId, parse(serial)),
      isWanted: ({ presence }) => !passesNothing(presence),
    },
    async read(request) {
      const { userId: reader, since, filter } = request;
      if (passesNothing(filter.presence)) return {};
      const viewer = await open(request);
      const events = new Map<string, string>();
      const looks = new Map<string, string>();
      const pace = createPacer();
      let asOf = viewers.serial();
      for (let people = wanted(request, viewer); people.size > 0;) {
        for (const userId of people) {
          const seen = sight.look(userId, reader);
          const view = (seen instanceof Promise ? await seen : seen) ?? nothingToSee;
          const look = lookOf(view);
          looks.set(userId, look);
          const isNew = look !== '' || (since !== undefined && viewer.shown.has(userId));
          if (isNew && passesEventFilter(filter.presence, { type: presenceType, sender: userId })) {
            events.set(userId, presenceEvent(userId, view, now()));
            viewers.showed(viewer, userId, look);
          }
          const pause = pace();
          if (pause !== undefined) await pause;
        }
        // What has come in meanwhile: the token will say that it was told.
        people = new Set();
        for (const [userId, at] of viewer.news) {
          if (at > asOf && viewer.shown.get(userId) !== (looks.get(userId) ?? '')) people.add(userId);
        }
        asOf = viewers.serial();
      }
      await shown.stored(reader);
      const text = `{"events":[${[...events.values()].join(',')}]}`;
      return { serial: `${prefix}${asOf}`, ...(events.size > 0 && { fields: new Map([['presence', text]]) }) };
    },
  };
}

import { createWriteSet, type Database } from '@portico/storage';
import { dropDelivered, readToDevice, type QueuePlace } from '@portico/storage/stores/to-device.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import type { SyncStream } from '../sync/streams.ts';
import { parsePlace, toDeviceEvent } from './to-device-queue.ts';

/** "100 messages is recommended as a reasonable limit." */
const messagesPerSync = 100;
const maxDevices = 20_000;
/** Behind every message of a position. */
const wholePosition = Number.MAX_SAFE_INTEGER;

/**
 * Messages to one device, each once and in order. Where not all fit into an answer, the token says how far they went:
 * `<position>.<seq>`.
 */
export function createToDeviceStream({
  db,
  onFailure,
}: {
  readonly db: Database;
  /** Told what went wrong with dropping messages: it will be tried again. */
  readonly onFailure: (error: unknown) => void;
}): SyncStream & { readonly settled: () => Promise<void> } {
  const dropping = new Set<Promise<void>>();
  // The last message that a device was given and has not acknowledged; nothing for one that holds no messages.
  const delivered = createSmallCache<string, QueuePlace | 'none'>(maxDevices);
  const keyOf = (userId: string, deviceId: string): string => `${deviceId} ${userId}`;

  async function drop(userId: string, deviceId: string, place: QueuePlace): Promise<void> {
    const [first] = await readToDevice(db, { userId, deviceId }, { position: -1, seq: 0 }, place.position, 1);
    if (first === undefined || isBehind(first, place)) return;
    const set = createWriteSet();
    dropDelivered(set, { userId, deviceId }, place);
    await db.commit(set);
  }

  return {
    name: 'to-device',
    kinds: new Map([['to_device', 'user']]),
    serial: {
      letter: 'd',
      current: () => undefined,
      isPending: (_userId, serial) => parsePlace(serial) !== undefined,
    },
    acknowledged({ userId, deviceId, since, serial }) {
      const key = keyOf(userId, deviceId);
      const waiting = delivered.get(key);
      const place = parsePlace(serial) ?? { position: since, seq: wholePosition };
      if (waiting === 'none' || (waiting !== undefined && isBehind(waiting, place))) return;
      // A device that this process does not know may have got messages from another one, or before a restart.
      delivered.set(key, 'none');
      const dropped = drop(userId, deviceId, place)
        .catch((error: unknown) => {
          delivered.delete(key);
          onFailure(error);
        })
        .finally(() => dropping.delete(dropped));
      dropping.add(dropped);
    },
    /** When no messages are being dropped, which goes on behind the answers. */
    async settled() {
      await Promise.all(dropping);
    },
    async read({ userId, deviceId, since, upTo, serial, limit = messagesPerSync }) {
      const most = Math.min(Math.max(limit, 1), messagesPerSync);
      const after = since === undefined ? undefined : (parsePlace(serial) ?? { position: since, seq: wholePosition });
      const start = after ?? { position: -1, seq: 0 };
      const rows = await readToDevice(db, { userId, deviceId }, start, upTo, most + 1);
      if (rows.length === 0) return {};
      const shown = rows.slice(0, most);
      const last = shown.at(-1);
      if (last !== undefined) delivered.set(keyOf(userId, deviceId), last);
      const events = shown.map(toDeviceEvent);
      const hasMore = rows.length > shown.length && last !== undefined;
      return {
        fields: new Map([['to_device', `{"events":[${events.join(',')}]}`]]),
        ...(hasMore && { serial: `${last.position}.${last.seq}` }),
      };
    },
  };
}

function isBehind(place: QueuePlace, other: QueuePlace): boolean {
  return place.position > other.position || (place.position === other.position && place.seq > other.seq);
}

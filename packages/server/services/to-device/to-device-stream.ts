import type { CommittedChanges, Database } from '@portico/storage';
import { readToDevice, type QueuePlace } from '@portico/storage/stores/devices/to-device.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import type { SyncStream } from '../sync/streams.ts';
import { createDrops } from './drops.ts';
import { isBehind, parsePlace, toDeviceEvent } from './to-device-queue.ts';

/** "100 messages is recommended as a reasonable limit." */
const messagesPerSync = 100;
const maxPeople = 20_000;
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
}): SyncStream & { readonly close: () => Promise<void> } {
  // By person and device: the last message that it was given and has not acknowledged; nothing for one that holds no messages.
  const delivered = createSmallCache<string, Map<string, QueuePlace | 'none'>>(maxPeople);
  const ofUser = (userId: string): Map<string, QueuePlace | 'none'> => {
    const known = delivered.get(userId) ?? new Map<string, QueuePlace | 'none'>();
    delivered.set(userId, known);
    return known;
  };
  const drops = createDrops({
    db,
    onFailure(error, devices) {
      for (const { userId, deviceId } of devices) delivered.get(userId)?.delete(deviceId);
      onFailure(error);
    },
  });
  // By person: devices for which nothing waits.
  const empty = createSmallCache<string, Set<string>>(maxPeople);
  let lastQueuedAt = 0;
  const stop = db.onChanges((batches) => batches.forEach(forget));
  function forget({ position, changes }: CommittedChanges): void {
    for (const { kind, key } of changes) {
      if (kind !== 'to_device') continue;
      lastQueuedAt = position;
      empty.delete(String(key));
      // What another process hands out this one does not see: it only hears that there is something.
      const known = db.messages.isShared ? delivered.get(String(key)) : undefined;
      for (const [deviceId, place] of known ?? []) if (place === 'none') known?.delete(deviceId);
    }
  }

  function noteEmpty(userId: string, deviceId: string, upTo: number): void {
    // What was queued behind that was not looked at.
    if (lastQueuedAt > upTo) return;
    empty.set(userId, (empty.get(userId) ?? new Set()).add(deviceId));
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
      const known = ofUser(userId);
      const waiting = known.get(deviceId);
      const place = parsePlace(serial) ?? { position: since, seq: wholePosition };
      if (waiting === 'none' || (waiting !== undefined && isBehind(waiting, place))) return;
      // A device that this process does not know may have got messages from another one, or before a restart.
      known.set(deviceId, 'none');
      drops.add({ userId, deviceId }, place);
    },
    /** Ends it, when no messages are being dropped any more, which goes on behind the answers. */
    async close() {
      stop();
      await drops.close();
    },
    async read({ userId, deviceId, since, upTo, serial, limit = messagesPerSync }) {
      if (since === undefined && empty.get(userId)?.has(deviceId) === true) return {};
      const most = Math.min(Math.max(limit, 1), messagesPerSync);
      const after = since === undefined ? undefined : (parsePlace(serial) ?? { position: since, seq: wholePosition });
      const dropped = drops.placeOf({ userId, deviceId });
      const asked = after ?? { position: -1, seq: 0 };
      const start = dropped !== undefined && isBehind(dropped, asked) ? dropped : asked;
      const rows = await readToDevice(db, { userId, deviceId }, start, upTo, most + 1);
      if (rows.length === 0) {
        if (since === undefined) noteEmpty(userId, deviceId, upTo);
        return {};
      }
      const shown = rows.slice(0, most);
      const last = shown.at(-1);
      if (last !== undefined) ofUser(userId).set(deviceId, last);
      const events = shown.map(toDeviceEvent);
      const hasMore = rows.length > shown.length && last !== undefined;
      return {
        fields: new Map([['to_device', `{"events":[${events.join(',')}]}`]]),
        ...(hasMore && { serial: `${last.position}.${last.seq}` }),
      };
    },
  };
}

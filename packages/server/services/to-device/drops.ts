import { createWriteSet, type Database } from '@portico/storage';
import { dropDelivered, type QueuePlace } from '@portico/storage/stores/devices/to-device.ts';
import { createAlarm } from '../alarm.ts';
import { isBehind } from './to-device-queue.ts';

type Device = { readonly userId: string; readonly deviceId: string };
type Drop = Device & QueuePlace;

/** Drops messages that have arrived, those of many devices with one commit. */
export interface Drops {
  add(device: Device, upTo: QueuePlace): void;
  /** Up to where a device has got everything that may still be there to be read. */
  placeOf(device: Device): QueuePlace | undefined;
  /** When nothing is being dropped any more. */
  close(): Promise<void>;
}

/**
 * In milliseconds. Whoever asks with a token is given nothing twice, dropped or not: what is dropped late costs a little room, and
 * after a crash those who have lost their token get it again.
 */
const delay = 500;
const mostAtOnce = 1000;

type Dependencies = {
  readonly db: Database;
  /** Told what has gone wrong, and for which devices: it is to be tried again. */
  readonly onFailure: (error: unknown, devices: readonly Device[]) => void;
};

export function createDrops({ db, onFailure }: Dependencies): Drops {
  const waiting = new Map<string, Drop>();
  const underWay = new Map<string, Drop>();
  const running = new Set<Promise<void>>();
  const alarm = createAlarm(dropAll);

  const keyOf = ({ userId, deviceId }: Device): string => `${deviceId} ${userId}`;

  async function commit(drops: readonly Drop[]): Promise<void> {
    const set = createWriteSet();
    dropDelivered(set, drops);
    try {
      await db.commit(set);
    } catch (error) {
      onFailure(error, drops);
    }
    for (const drop of drops) if (underWay.get(keyOf(drop)) === drop) underWay.delete(keyOf(drop));
  }

  function dropAll(): void {
    alarm.clear();
    if (waiting.size === 0) return;
    for (const [key, drop] of waiting) underWay.set(key, drop);
    const dropped = commit([...waiting.values()]).finally(() => running.delete(dropped));
    waiting.clear();
    running.add(dropped);
  }

  return {
    add({ userId, deviceId }, { position, seq }) {
      const drop: Drop = { userId, deviceId, position, seq };
      const key = keyOf(drop);
      const known = waiting.get(key);
      if (known === undefined || isBehind(drop, known)) waiting.set(key, drop);
      alarm.set(delay);
      if (waiting.size >= mostAtOnce) dropAll();
    },
    placeOf: (device) => waiting.get(keyOf(device)) ?? underWay.get(keyOf(device)),
    async close() {
      dropAll();
      await Promise.all(running);
    },
  };
}

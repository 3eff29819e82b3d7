import { createWriteSet, type Database } from '@portico/storage';
import { setDeviceSeen } from '@portico/storage/stores/devices/devices.ts';
import { createAlarm } from '../alarm.ts';
import type { Sender } from '../accounts/sender.ts';

export interface LastSeen {
  /** Costs next to nothing for a device that was noted within the last minute. */
  note(sender: Sender, request: { readonly ip: string }): void;
  /** Writes what has been noted. */
  close(): Promise<void>;
}

type Options = {
  readonly db: Database;
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
  /** Milliseconds for which notes are gathered before they are written. */
  readonly gather?: number;
};

const interval = 60_000;
const maxPending = 5_000;

type Note = { readonly sender: Sender; readonly at: number; readonly ip: string };

/** When and from where devices were last used: at most one write a minute for each, many in one set, in the background. */
export function createLastSeen({ db, now, log, gather = 500 }: Options): LastSeen {
  // A sender is the same object for as long as its token is remembered.
  const noted = new WeakMap<Sender, number>();
  let pending: Note[] = [];
  const alarm = createAlarm(flush);
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    alarm.clear();
    const notes = pending;
    pending = [];
    if (notes.length === 0) return;
    const set = createWriteSet();
    for (const { sender, at, ip } of notes) {
      setDeviceSeen(set, { userId: sender.userId, deviceId: sender.deviceId, at, ip }, at - interval);
    }
    try {
      await db.commit(set);
    } catch (error) {
      // It is noted again within a minute or so.
      log.warn({ err: error }, 'Could not write when devices were last used');
    }
  }

  function flush(): void {
    writing = write();
  }

  return {
    note(sender, request) {
      const at = now();
      const before = noted.get(sender);
      if (before !== undefined && at - before < interval) return;
      if (pending.length >= maxPending) return;
      noted.set(sender, at);
      pending.push({ sender, at, ip: request.ip });
      alarm.set(gather);
    },
    async close() {
      await writing;
      await write();
    },
  };
}

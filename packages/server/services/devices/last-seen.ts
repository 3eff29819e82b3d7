import type { Database } from '@portico/storage';
import { setDeviceSeen } from '@portico/storage/stores/devices/devices.ts';
import type { Sender } from '../accounts/sender.ts';
import { createGatheredNotes } from '../gathered-notes.ts';

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

type Note = { readonly at: number; readonly ip: string };

/** When and from where devices were last used: at most one write a minute for each, many in one set, in the background. */
export function createLastSeen({ db, now, log, gather = 500 }: Options): LastSeen {
  // A sender is the same object for as long as its token is remembered.
  const noted = new WeakMap<Sender, number>();
  const notes = createGatheredNotes<Sender, Note>({
    db,
    gather,
    write: (set, { at, ip }, { userId, deviceId }) => setDeviceSeen(set, { userId, deviceId, at, ip }, at - interval),
    // It is noted again within a minute or so.
    onFailure: (error) => log.warn({ err: error }, 'Could not write when devices were last used'),
  });

  return {
    note(sender, { ip }) {
      const at = now();
      const before = noted.get(sender);
      if (before !== undefined && at - before < interval) return;
      if (notes.add(sender, { at, ip })) noted.set(sender, at);
    },
    close: notes.flush,
  };
}

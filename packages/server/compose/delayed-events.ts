import { hkdfSync } from 'node:crypto';
import type { Database } from '@portico/storage';
import { createDelayedEvents, type DelayedEvents } from '../services/delayed-events/delayed-events.ts';
import { createDueEvents } from '../services/delayed-events/due-events.ts';
import type { ReadingContext } from '../services/reading/context.ts';
import type { RoomService } from '../services/rooms/room-service.ts';

type Context = {
  readonly db: Database;
  readonly rooms: RoomService;
  readonly reading: ReadingContext;
  readonly signingKey: { readonly seed: Uint8Array };
  readonly now: () => number;
  readonly randomId: () => string;
  readonly log: { warn(details: object, message: string): void };
};

/** Events that are sent later, and what sends them. */
export function createDelayedEventParts(context: Context): { delayedEvents: DelayedEvents; close(): Promise<void> } {
  const { db, rooms, reading, signingKey, now, randomId, log } = context;
  // A secret of the server's that exists already, made one for this purpose alone.
  const secret = new Uint8Array(hkdfSync('sha256', signingKey.seed, '', 'IDs of delayed events', 32));
  const due = createDueEvents({ db, rooms, roomNames: reading.rooms, now, log });
  const { access, rooms: roomNames } = reading;
  return {
    delayedEvents: createDelayedEvents({ db, access, rooms, roomNames, due, secret, now, randomId }),
    close: () => due.close(),
  };
}

import type { Database } from '@portico/storage';
import { createDelayedEvents, type DelayedEvents } from '../services/delayed-events/delayed-events.ts';
import { createDueEvents } from '../services/delayed-events/due-events.ts';
import type { ReadingContext } from '../services/reading/context.ts';
import type { RoomService } from '../services/rooms/room-service.ts';
import { secretFor } from './secret-for.ts';

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
  const secret = secretFor(signingKey, 'IDs of delayed events');
  const due = createDueEvents({ db, rooms, roomNames: reading.rooms, now, log });
  const { access, rooms: roomNames } = reading;
  return {
    delayedEvents: createDelayedEvents({ db, access, rooms, roomNames, due, secret, now, randomId }),
    close: () => due.close(),
  };
}

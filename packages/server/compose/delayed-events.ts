import type { Database } from '@portico/storage';
import { createDelayedEvents, type DelayedEvents } from '../services/delayed-events/delayed-events.ts';
import { createDueEvents } from '../services/delayed-events/due-events.ts';
import type { ReadingContext } from '../services/reading/context.ts';
import type { RoomService } from '../services/rooms/room-service.ts';

type Context = {
  readonly db: Database;
  readonly rooms: RoomService;
  readonly reading: ReadingContext;
  readonly now: () => number;
  readonly randomId: () => string;
  readonly log: { warn(details: object, message: string): void };
};

/** Events that are sent later, and what sends them. */
export function createDelayedEventParts(context: Context): { delayedEvents: DelayedEvents; close(): Promise<void> } {
  const { db, rooms, reading, now, randomId, log } = context;
  const due = createDueEvents({ db, rooms, roomNames: reading.rooms, now, log });
  return {
    delayedEvents: createDelayedEvents({ db, access: reading.access, due, now, randomId }),
    close: () => due.close(),
  };
}

import { findRoomIdOfEvent } from '@portico/storage/stores/rooms/rooms.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { HistoryContext, Requester } from '../reading/context.ts';
import { readOneEvent } from '../reading/one-event.ts';
import type { Sync } from '../sync/sync.ts';
import type { PaginationChunk, RoomInfo } from './answers.ts';
import { readInitialSync, type InitialSync, type InitialSyncRequest } from './initial-sync.ts';
import { listenEvents, type ListenRequest } from './listen-events.ts';
import { peekEvents, type PeekRequest } from './peek-events.ts';
import { readRoomInitialSync } from './room-initial-sync.ts';

/** The endpoints that `/sync` replaced, which clients in use still ask when they look into rooms. */
export interface OldSync {
  initialSync(request: InitialSyncRequest): Promise<InitialSync>;
  roomInitialSync(requester: Requester, roomId: string, limit: number | undefined): Promise<RoomInfo>;
  listen(request: ListenRequest): Promise<PaginationChunk>;
  peek(requester: Requester, request: PeekRequest): Promise<PaginationChunk>;
  /** An event of whatever room, as JSON text. */
  event(requester: Requester, eventId: string): Promise<string>;
}

export function createOldSync({ reading, sync }: { readonly reading: HistoryContext; readonly sync: Sync }): OldSync {
  const { db } = reading;
  return {
    initialSync: (request) => readInitialSync({ sync, db }, request),
    roomInitialSync: (requester, roomId, limit) => readRoomInitialSync(reading, requester, roomId, limit),
    listen: (request) => listenEvents({ sync, currentPosition: db.currentPosition }, request),
    peek: (requester, request) => peekEvents(reading, requester, request),
    async event(requester, eventId) {
      const roomId = await findRoomIdOfEvent(db, eventId);
      if (roomId === undefined) {
        throw new MatrixError('not-found', { message: 'There is no such event, or you may not see it.' });
      }
      return readOneEvent(reading, requester, roomId, eventId);
    },
  };
}

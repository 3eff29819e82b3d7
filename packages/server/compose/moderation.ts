import type { Database } from '@portico/storage';
import { createListAccounts } from '../services/accounts/account-list.ts';
import type { ReadingContext } from '../services/reading/context.ts';
import { createReported } from '../services/reporting/reported.ts';
import { createReports } from '../services/reporting/reports.ts';
import { createBlockedRooms } from '../services/rooms/blocking/blocked-rooms.ts';
import { createRoomList } from '../services/rooms/listing/room-list.ts';
import { createUserRedactions } from '../services/rooms/redacting/user-redactions.ts';

type Context = {
  readonly db: Database;
  readonly reading: ReadingContext;
  readonly serverName: string;
  readonly now: () => number;
  readonly randomId: () => string;
};

/** What people report, and with what administrators look after a server. */
export function createModeration({ db, reading, serverName, now, randomId }: Context) {
  return {
    reports: createReports({ db, reading, serverName, now }),
    reported: createReported({ db, reading, serverName }),
    userRedactions: createUserRedactions({ db, now, randomId }),
    listAccounts: createListAccounts({ db: db.long, serverName }),
    roomList: createRoomList({ db: db.long, serverName }),
    blockedRooms: createBlockedRooms({ db, roomNames: reading.rooms, now }),
  };
}

import { createWriteSet, type Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import type { Config } from '../config/config.ts';
import { StartError } from '../process/start-error.ts';
import { ensureOwnAccount } from '../services/accounts/open-account.ts';
import type { RoomNames } from '../services/reading/room-names.ts';
import type { RoomParts } from '../services/rooms/room-parts.ts';
import type { RoomService } from '../services/rooms/room-service.ts';
import { createServerNotices, type ServerNotices } from '../services/server-notices/server-notices.ts';
import type { Tags } from '../services/tags/tags.ts';

type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly rooms: RoomService & RoomParts;
  readonly roomNames: RoomNames;
  readonly tags: Tags;
  readonly now: () => number;
};

/** Makes the account that notices come from before anybody else can have its name. */
export async function openServerNotices({ config, db, rooms, roomNames, tags, now }: Context): Promise<ServerNotices> {
  const { user, roomName } = config.serverNotices;
  const { serverName } = config;
  const sender = `@${user}:${serverName}`;
  const account = await findAccount(db, sender);
  if (account === undefined) {
    const set = createWriteSet();
    ensureOwnAccount(set, sender, now());
    await db.commit(set);
  } else if (account.password_hash !== null) {
    throw new StartError(
      `server_notices.user is ${user}, which is the account of somebody. Choose a name that nobody has.`,
    );
  }
  return createServerNotices({ db, rooms, writer: rooms.writer, roomNames, tags, serverName, sender, roomName });
}

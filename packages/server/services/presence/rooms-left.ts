import { isJsonObject, parseJson } from '@portico/protocol';
import { sharingTypes, withoutRooms } from '@portico/protocol/privacy/presence/sharing.ts';
import type { Database } from '@portico/storage';
import { replaceAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import {
  readRoomsLeft,
  readSettingsOf,
  type SettingsRow,
} from '@portico/storage/stores/presence/presence-rooms-left.ts';
import type { After } from '../sync/waiting.ts';
import { type CatchUp, createCatchUp, type Portion } from '../catch-up/catch-up.ts';
import { lastWhole } from '../catch-up/last-whole.ts';

const types = Object.values(sharingTypes);
/** Settings may be as large as account data may be. */
const movesPerPortion = 20;

/**
 * Takes rooms out of people's lists once they have left them, so that coming back years later does not bring back what
 * they have long forgotten. Only those who have lists cost anything.
 *
 * > Servers SHOULD […] remove rooms from either allow or denied list when the user leaves the room.
 */
export function createRoomsLeft(options: {
  readonly db: Database;
  readonly after: After;
  readonly onFailure: (error: unknown) => void;
}): CatchUp {
  const { db, after, onFailure } = options;

  async function work(after: number, upTo: number): Promise<Portion> {
    const moves = await readRoomsLeft(db, { after, upTo, limit: movesPerPortion }, types);
    const reached = moves.length < movesPerPortion ? upTo : lastWhole(moves, after, upTo);
    const left = Map.groupBy(
      moves.filter(({ position }) => position <= reached),
      (move) => move.user_id,
    );
    const settings = await readSettingsOf(db, [...left.keys()], types);
    return {
      reached,
      append(set) {
        for (const row of settings) {
          const content = cleaned(row, new Set(left.get(row.user_id)?.map((move) => move.room_id)));
          if (content === undefined) continue;
          const data = { userId: row.user_id, roomId: '', type: row.type, content };
          replaceAccountData(set, data, row.stream_position);
        }
      },
    };
  }

  return createCatchUp({
    db,
    name: 'presence-rooms-left',
    work,
    after,
    onFailure,
    concerns: (kind) => kind === 'membership',
    redoOn: 'account-data.changed',
  });
}

function cleaned({ content }: SettingsRow, rooms: ReadonlySet<string>): string | undefined {
  const value = parseJson(content, 'lenient');
  const kept = isJsonObject(value) ? withoutRooms(value, rooms) : undefined;
  return kept && JSON.stringify(kept);
}

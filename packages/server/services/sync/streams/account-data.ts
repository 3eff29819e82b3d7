import { passesEventFilter } from '@portico/protocol/sync-filter/event-filter.ts';
import {
  isDeleted,
  listAccountDataSince,
  type AccountDataRow,
} from '@portico/storage/stores/accounts/accounts-data.ts';
import { passesRoom, render } from '../account-data-events.ts';
import type { RoomParts, StreamRequest, SyncStream } from '../streams.ts';

type Dependencies = {
  /** The content of `m.push_rules` for who never changed any. */
  readonly defaultPushRules: (userId: string) => Promise<unknown>;
};

const maxRows = 10_000;
const pushRulesType = 'm.push_rules';

/**
 * What people keep with the server, for themselves and for their rooms. On an initial sync the push rules are always
 * there: clients do not ask for them otherwise.
 */
export function createAccountDataStream({ defaultPushRules }: Dependencies): SyncStream {
  return {
    name: 'account-data',
    kinds: new Map([['account_data', 'user']]),
    async read(request) {
      const { reader, userId, since, upTo, newRooms } = request;
      const range = { upTo, limit: maxRows };
      const found = await listAccountDataSince(reader, userId, { ...range, after: since ?? -1 });
      const rows = since === undefined ? found.filter((row) => !isDeleted(row)) : found;
      const hasNewRoom = since !== undefined && newRooms.size > 0;
      // A room that comes into view brings what was kept for it before.
      const older = hasNewRoom
        ? await listAccountDataSince(reader, userId, { after: -1, upTo: since, limit: maxRows })
        : [];
      const all = [...older.filter((row) => !isDeleted(row)), ...rows];
      const global: string[] = [];
      for (const row of rows) if (row.room_id === '' && passesGlobal(request, row.type)) global.push(render(row));
      if (since === undefined && passesGlobal(request, pushRulesType) && !rows.some(isPushRules)) {
        global.push(`{"content":${JSON.stringify(await defaultPushRules(userId))},"type":"${pushRulesType}"}`);
      }
      return { accountData: global, rooms: roomParts(request, rows, all) };
    },
  };
}

function roomParts(
  request: StreamRequest,
  changed: readonly AccountDataRow[],
  all: readonly AccountDataRow[],
): ReadonlyMap<number, RoomParts> {
  const parts = new Map<number, { accountData: string[] }>();
  if (!all.some((row) => row.room_id !== '')) return parts;
  const nids = new Map(Array.from(request.allRooms(), ([nid, id]) => [id, nid]));
  const isChanged = new Set(changed);
  for (const row of all) {
    const nid = nids.get(row.room_id);
    if (nid === undefined || !(isChanged.has(row) || request.newRooms.has(nid))) continue;
    if (!passesRoom(request.filter, row)) continue;
    const ofRoom = parts.get(nid);
    if (ofRoom === undefined) parts.set(nid, { accountData: [render(row)] });
    else ofRoom.accountData.push(render(row));
  }
  return parts;
}

function passesGlobal({ filter }: StreamRequest, type: string): boolean {
  return passesEventFilter(filter.accountData, { type, sender: undefined });
}

function isPushRules(row: AccountDataRow): boolean {
  return row.room_id === '' && row.type === pushRulesType;
}

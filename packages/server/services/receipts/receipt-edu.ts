import { isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { type ReceivedReceipt, setReceivedReceipts } from '@portico/storage/stores/federation/received-receipts.ts';
import { type EduHandler, textOf, userOf } from '../federation/receiving/edus.ts';
import type { FindEduMembers } from '../federation/receiving/edu-members.ts';

type Dependencies = { readonly db: Database; readonly findMembers: FindEduMembers; readonly now: () => number };

type Claimed = Omit<ReceivedReceipt, 'roomNid'> & { readonly roomId: string };

/** What is taken of one EDU; servers in use send one receipt in each, or those of a moment. */
const maxReceipts = 1000;

/** {@link https://spec.matrix.org/v1.19/server-server-api/#receipts} */
export function receiptEdu({ db, findMembers, now }: Dependencies): EduHandler {
  return {
    afterEvents: true,
    async receive({ origin, content }) {
      const claimed = [...receiptsIn(origin, content, now())].slice(0, maxReceipts);
      const members = await findMembers(
        origin,
        claimed.map(({ roomId, userId }) => [roomId, userId]),
      );
      const rooms = new Map(members.map((member) => [`${member.room_id} ${member.user_id}`, member.room_nid]));
      const receipts = claimed.flatMap(({ roomId, ...receipt }) => {
        const roomNid = rooms.get(`${roomId} ${receipt.userId}`);
        return roomNid === undefined ? [] : [{ ...receipt, roomNid }];
      });
      if (receipts.length === 0) return;
      const set = createWriteSet();
      setReceivedReceipts(set, receipts);
      await db.commit(set);
    },
  };
}

/** Public receipts of the server's own people; whatever else there is, private ones included, is passed over. */
function* receiptsIn(origin: string, content: JsonObject, now: number): Generator<Claimed> {
  for (const [roomId, types] of Object.entries(content)) {
    const byUser = isJsonObject(types) ? types['m.read'] : undefined;
    if (textOf(roomId) === undefined || !isJsonObject(byUser)) continue;
    for (const [user, receipt] of Object.entries(byUser)) {
      const userId = userOf(origin, user);
      const eventIds = isJsonObject(receipt) ? receipt['event_ids'] : undefined;
      const eventId = Array.isArray(eventIds) ? textOf((eventIds as readonly JsonValue[])[0]) : undefined;
      if (userId === undefined || !isJsonObject(receipt) || eventId === undefined) continue;
      const data = isJsonObject(receipt['data']) ? receipt['data'] : {};
      const threadId = data['thread_id'] === undefined ? '' : textOf(data['thread_id']);
      if (threadId !== undefined) yield { roomId, userId, eventId, threadId, ts: timeOf(data['ts']) ?? now };
    }
  }
}

function timeOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

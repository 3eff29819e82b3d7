import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import type { PushAction } from '@portico/protocol/push/rule.ts';
import { readUserRules as readUserRulesRow } from '@portico/storage/stores/unread/custom-rules.ts';
import { type CandidateRow, readOwnMembers } from '@portico/storage/stores/push/notified-events.ts';
import { readSubscribedAmong } from '@portico/storage/stores/events/thread-subscriptions.ts';
import { type ClientEventRow, readEvents } from '@portico/storage/stores/events/timeline.ts';
import type { ReadState } from '../rooms/read-state.ts';
import { mayNotifyRoom } from '../rooms/counting.ts';
import type { ReadingContext } from '../reading/context.ts';
import { readUserRules, type RoomRules, roomRules } from '../unread/member-rules.ts';

export type Notified = {
  readonly row: CandidateRow;
  readonly event: ClientEventRow;
  readonly actions: readonly PushAction[];
  readonly isHighlight: boolean;
  /** What they were to the room then. */
  readonly membership: 'join' | 'invite';
};

/** Says of events which of them notify somebody, and how. */
export type Judge = (rows: readonly CandidateRow[]) => Promise<readonly Notified[]>;

type Dependencies = { readonly reading: ReadingContext; readonly readState: ReadState };

export async function createJudge({ reading, readState }: Dependencies, userId: string): Promise<Judge> {
  const { db, ignored, erasedSenders } = reading;
  const [ignoredUsers, rulesRow] = await Promise.all([ignored.of(userId), readUserRulesRow(db, userId)]);
  // Rules that differ in how they announce an event are different here.
  const rules = { ...readUserRules(rulesRow, userId), isPushed: true };
  const known = new Map<string, RoomRules>();
  const byRoom = new Map<number, RoomRules>();

  function rulesIn({ room_nid: roomNid, room_id: roomId }: CandidateRow): RoomRules {
    const found = byRoom.get(roomNid) ?? roomRules(rules, roomId, known);
    byRoom.set(roomNid, found);
    return found;
  }

  /** Who may mention all of a room, for rooms where somebody tries. */
  async function readPowers(roomNids: Iterable<number>) {
    const states = await Promise.all(
      Array.from(new Set(roomNids), (roomNid) =>
        readState(roomNid, [
          ['m.room.create', ''],
          ['m.room.power_levels', ''],
        ]),
      ),
    );
    return new Map(states.map((state) => [state.roomNid, state]));
  }

  return async (rows) => {
    const [events, erased] = await readWithSenders(rows);
    const wanted = rows.flatMap((row) => {
      const event = events.get(row.event_nid);
      if (event === undefined || ignoredUsers.has(event.sender) || erased.has(event.sender)) return [];
      const content = parseJson(event.content, 'lenient');
      return [{ row, event, content: isJsonObject(content) ? content : {} }];
    });
    const named = wanted.filter(({ row }) => rulesIn(row).usesDisplayName).map(({ row }) => row.room_nid);
    const mentioned = wanted.filter(({ content }) => mentionsRoom(content)).map(({ row }) => row.room_nid);
    const threads = wanted.flatMap(({ row }) =>
      row.thread_nid !== null && rulesIn(row).usesSubscriptions ? [row.thread_nid] : [],
    );
    const [subscribed, members, powers] = await Promise.all([
      readSubscribedAmong(db, userId, [...new Set(threads)]),
      named.length === 0 ? undefined : readOwnMembers(db, userId, [...new Set(named)]),
      readPowers(mentioned),
    ]);
    const notified: Notified[] = [];
    for (const { row, event, content } of wanted) {
      const { type, sender, state_key: stateKey } = event;
      const subject = { type, sender, roomId: row.room_id, stateKey: stateKey ?? undefined, content };
      const room = powers.get(row.room_nid);
      const outcome = evaluatePush(rulesIn(row).rules, subject, {
        userId,
        displayName: displayNameIn(members?.get(row.room_nid)),
        hasSubscribed: row.thread_nid === null ? undefined : subscribed.has(row.thread_nid),
        memberCount: () => row.joined_count,
        mayNotify: (key) =>
          room !== undefined &&
          mayNotifyRoom(room.rules, room.state('m.room.create'), room.state('m.room.power_levels'), sender, key),
      });
      if (outcome?.notify !== true) continue;
      notified.push({ row, event, actions: outcome.actions, isHighlight: outcome.highlight, membership: 'join' });
    }
    return notified;
  };

  async function readWithSenders(rows: readonly CandidateRow[]) {
    const events = await readEvents(
      db.long,
      rows.map((row) => row.event_nid),
    );
    const erased = await erasedSenders.among(events.map(({ sender }) => sender));
    return [new Map(events.map((event) => [event.event_nid, event])), erased] as const;
  }
}

function mentionsRoom(content: JsonObject): boolean {
  const mentions = content['m.mentions'];
  return isJsonObject(mentions) && mentions['room'] === true;
}

function displayNameIn(memberContent: string | undefined): string | undefined {
  const content = memberContent === undefined ? undefined : parseJson(memberContent);
  const name = isJsonObject(content) ? content['displayname'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

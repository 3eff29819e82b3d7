import type { JsonObject } from '@portico/protocol';
import { createUnreadService, type UnreadService } from '@portico/server/services/unread/unread-service.ts';
import { createWriteSet, type Database } from '@portico/storage';
import { addTimelineEvent } from '@portico/storage/stores/events/events-write.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { setMembership } from '@portico/storage/stores/rooms/memberships-write.ts';
import { addRoom, moveRoomHead } from '@portico/storage/stores/rooms/rooms.ts';
import { redactEvent } from '@portico/storage/stores/events/redactions.ts';

export type SentEvent = { readonly eventId: string; readonly eventNid: number };

export type RoomMessage = {
  readonly sender: string;
  readonly type: string;
  readonly content: JsonObject;
  readonly stateKey?: string;
  readonly redacts?: SentEvent;
};

/** A room that takes any event from anyone and counts it: what comes before and after counting is left out. */
export interface CountedRoom {
  readonly roomNid: number;
  readonly roomId: string;
  send(message: RoomMessage): Promise<SentEvent>;
  setMembership(userId: string, membership: 'join' | 'leave'): Promise<SentEvent>;
}

export function testUnreadService(db: Database): UnreadService {
  return createUnreadService({ db, isLocal: (userId) => userId.endsWith(':here') });
}

/** `mayNotify`: whose power suffices to mention the whole room. */
export async function createCountedRoom(
  db: Database,
  unread: UnreadService,
  mayNotify: (userId: string) => boolean,
): Promise<CountedRoom> {
  const roomNid = await db.reserveIds('test-rooms', 1);
  const roomId = `!room-${roomNid}:here`;
  const memberships = new Map<string, string>();
  let ordinal = 0;
  let version = 0;
  let lastEventNid = 0;

  async function append(message: RoomMessage): Promise<SentEvent> {
    const { sender, type, stateKey, content, redacts } = message;
    const eventNid = await db.reserveIds('test-events', 1);
    const eventId = `$event-${roomNid}-${eventNid}`;
    const isMember = type === 'm.room.member' && stateKey !== undefined;
    const event = {
      roomNid,
      roomId,
      type,
      stateKey,
      sender,
      content,
      previousMembership: isMember ? (memberships.get(stateKey) ?? 'leave') : undefined,
    };
    for (let read = unread.missing(event); read !== undefined; read = unread.missing(event)) await read();
    const assessment = unread.assess(event, {
      memberCount: () => [...memberships.values()].filter((membership) => membership === 'join').length,
      mayNotify: () => mayNotify(sender),
    });
    if (assessment.counts && assessment.thread === undefined) ordinal += 1;

    const set = createWriteSet();
    const position = set.takePosition();
    addTimelineEvent(
      set,
      {
        eventNid,
        eventId,
        roomNid,
        status: eventStatus.accepted,
        type,
        stateKey,
        sender,
        originServerTs: 0,
        depth: 0,
        before: '',
        content: JSON.stringify(content),
        after: '',
        stateBefore: 0,
        stateAfter: undefined,
        headState: undefined,
        replacesNid: undefined,
        threadNid: assessment.thread?.threadNid,
        ordinal,
        chain: undefined,
        powerLevelsNid: undefined,
        transaction: undefined,
      },
      position,
    );
    if (isMember) {
      const membership = content['membership'] === 'join' ? 'join' : 'leave';
      const previous = memberships.get(stateKey) ?? 'leave';
      memberships.set(stateKey, membership);
      const change = { roomNid, userId: stateKey, membership, previous, eventNid, host: 'here', isLocal: true };
      setMembership(set, change, position);
    }
    unread.append(set, assessment, { eventNid, roomNid, ordinal }, position);
    if (redacts !== undefined) {
      const redaction = { redactionNid: eventNid, deleteOriginalAfter: 0 };
      redactEvent(set, redacts.eventNid, redaction, { before: '', content: '{}', after: '' });
      unread.appendRedaction(set, redacts.eventNid);
    }
    const head = {
      extremities: [[eventId, 0]] as const,
      stateRoot: 0,
      maxDepth: 0,
      lastEventNid: eventNid,
      ordinal,
      joinedCount: 0,
      invitedCount: 0,
      isActivity: false,
    };
    version += 1;
    if (version === 1) {
      addRoom(set, { ...head, roomNid, roomId, roomVersion: '12', createEventNid: eventNid, version }, position);
    } else {
      const before = { version: version - 1, lastEventNid };
      moveRoomHead(set, { ...head, roomNid, version }, before, position);
    }
    lastEventNid = eventNid;
    await db.commit(set);
    return { eventId, eventNid };
  }

  await append({ sender: '@nobody:elsewhere', type: 'm.room.create', stateKey: '', content: {} });
  return {
    roomNid,
    roomId,
    send: append,
    setMembership: (userId, membership) =>
      append({ sender: userId, type: 'm.room.member', stateKey: userId, content: { membership } }),
  };
}

import type { Database, PositionParam, WriteSet } from '@portico/storage';
import {
  addCustomMember,
  addCustomMemberWithPushers,
  audienceChange,
  removeCustomMember,
} from '@portico/storage/stores/unread/custom-rules.ts';
import { queuePushes, queueRead, queueRecount } from '@portico/storage/stores/push/push-queue.ts';
import { markJoin, markOwnSend, markOwnThreadSend } from '@portico/storage/stores/unread/unread-markers.ts';
import { startUnreadMode } from '@portico/storage/stores/unread/unread-modes.ts';
import { addUnreadExceptions, countInThread, uncountEvent } from '@portico/storage/stores/unread/unread-write.ts';
import { countEvent, type CountedEvent, type RoomFacts, senderReads, type ThreadPlace } from './assess.ts';
import type { Counting } from './tally.ts';
import { createAudiences } from './audiences.ts';
import { roomRules } from './member-rules.ts';
import type { UnreadMode } from './mode.ts';
import type { RoomAudience } from './audience.ts';
import { createThreadPlaces } from './thread-places.ts';
import { createThreadSubscribers } from './thread-subscribers.ts';

/** All that follows from an event for unread counts. */
export type Assessment = Counting & {
  readonly thread: ThreadPlace | undefined;
  readonly reads: { readonly userId: string; readonly upTo: 'thread' | 'everything' } | undefined;
  /** Somebody of this server joins. */
  readonly joins: { readonly mode: UnreadMode; readonly isCustom: boolean } | undefined;
  /** What happens to a member who may have rules of their own. */
  readonly customMember: { readonly userId: string; readonly change: 'leaves' | 'renamed' } | undefined;
};

/** Counts events as they enter rooms. */
export interface UnreadService {
  /** What has to be read before an event can be assessed; `undefined` if all is in memory. */
  missing(
    event: Pick<CountedEvent, 'roomNid' | 'roomId' | 'type' | 'stateKey' | 'sender' | 'content'>,
  ): (() => Promise<void>) | undefined;
  /** Decides, from memory, how an event counts. Throws if `missing` was not asked, and heeded, before. */
  assess(event: CountedEvent, facts: RoomFacts): Assessment;
  /**
   * Writes what was decided. The event is in the set already; `ordinal` is the room's outside threads, this event
   * included.
   */
  append(
    set: WriteSet,
    assessment: Assessment,
    event: { readonly eventNid: number; readonly roomNid: number; readonly ordinal: number },
    position: PositionParam,
  ): void;
  /** Takes an event that is redacted in the same set out of all counts. */
  appendRedaction(set: WriteSet, redactedEventNid: number): void;
  close(): void;
}

export function createUnreadService({
  db,
  isLocal,
  isPushed = () => false,
}: {
  readonly db: Database;
  /** Whether a user ID is one of this server's. */
  readonly isLocal: (userId: string) => boolean;
  /** Whether somebody is told on their devices how much is unread. */
  readonly isPushed?: (userId: string) => boolean;
}): UnreadService {
  const audiences = createAudiences(db);
  const places = createThreadPlaces(db);
  const subscribers = createThreadSubscribers(db);

  /** The thread of which it matters who has subscribed to it. */
  function watchedThread(audience: RoomAudience | undefined, place: ThreadPlace | undefined): number | undefined {
    return audience?.usesSubscriptions === true ? place?.threadNid : undefined;
  }

  function joiningUser({ type, stateKey, content }: MemberFields): string | undefined {
    const isJoin = type === 'm.room.member' && content['membership'] === 'join';
    return isJoin && stateKey !== undefined && isLocal(stateKey) ? stateKey : undefined;
  }

  function customMember(event: CountedEvent): Assessment['customMember'] {
    const { type, stateKey: userId, content, roomNid } = event;
    if (type !== 'm.room.member' || userId === undefined || !isLocal(userId)) return undefined;
    const audience = audiences.ofRoom(roomNid);
    if (content['membership'] !== 'join') {
      const ignores = [...(audience?.ignoredBy.values() ?? [])].some((ignoring) => ignoring.includes(userId));
      const isCustom = ignores || audience?.groupOf.has(userId) === true || audience?.pushed.has(userId) === true;
      return isCustom ? { userId, change: 'leaves' } : undefined;
    }
    return audience?.groupOf.has(userId) === true ? { userId, change: 'renamed' } : undefined;
  }

  return {
    missing(event) {
      const { roomNid, roomId, content } = event;
      const userId = joiningUser(event);
      const needsRoom = audiences.ofRoom(roomNid) === undefined;
      const needsPlace = !places.isKnown(roomNid, content);
      const needsUser = userId !== undefined && audiences.ofUser(userId) === undefined;
      const threadNid = watchedThread(audiences.ofRoom(roomNid), places.peek(roomNid, content));
      const needsSubscribers = threadNid !== undefined && subscribers.of(threadNid) === undefined;
      if (!needsRoom && !needsPlace && !needsUser && !needsSubscribers) return undefined;
      return async () => {
        await Promise.all([
          needsRoom && audiences.loadRoom(roomNid, roomId),
          needsPlace && places.load(roomNid, content),
          needsUser && audiences.loadUser(userId),
          needsSubscribers && subscribers.load(threadNid),
        ]);
      };
    },

    assess(event, facts) {
      const audience = audiences.ofRoom(event.roomNid);
      if (audience === undefined) throw new Error('the audience of the room was not looked up');
      const thread = places.placeOf(event.roomNid, event.content);
      const upTo = isLocal(event.sender) ? senderReads(event) : undefined;
      const threadNid = watchedThread(audience, thread);
      const counting = countEvent(
        event,
        facts,
        audience,
        isLocal,
        threadNid === undefined ? undefined : subscribers.of(threadNid),
      );
      let joins: Assessment['joins'];
      if (upTo === 'everything') {
        const rules = audiences.ofUser(event.sender);
        if (rules === undefined) throw new Error('the rules of who joins were not looked up');
        const { mode, isDefault } = roomRules(rules, event.roomId);
        joins = { mode, isCustom: !isDefault || rules.ignored.size > 0 || rules.isPushed };
      }
      return {
        counts: counting.counts,
        exceptions: counting.exceptions,
        pushes: counting.pushes,
        thread,
        reads: upTo === undefined ? undefined : { userId: event.sender, upTo },
        joins,
        customMember: customMember(event),
      };
    },

    append(set, assessment, event, position) {
      const { counts, exceptions, pushes, thread, reads, joins, customMember } = assessment;
      const { eventNid, roomNid, ordinal } = event;
      if (thread !== undefined) countInThread(set, { eventNid, roomNid, counts, ...thread }, position);
      for (const exception of exceptions) addUnreadExceptions(set, eventNid, exception);
      for (const push of pushes) queuePushes(set, event, push, position);
      if (reads !== undefined && isPushed(reads.userId)) queueRead(set, reads.userId, position);
      if (reads?.upTo === 'everything') {
        markJoin(set, reads.userId, roomNid, ordinal, position);
      } else if (reads !== undefined && thread !== undefined) {
        markOwnThreadSend(set, reads.userId, roomNid, thread.threadNid);
      } else if (reads !== undefined) {
        markOwnSend(set, reads.userId, roomNid, ordinal);
      }
      if (joins !== undefined && reads !== undefined) {
        const { userId } = reads;
        startUnreadMode(set, { userId, roomNid, ordinal }, joins.mode === 'all' ? undefined : joins.mode, position);
        if (joins.isCustom) addCustomMember(set, roomNid, userId);
        else addCustomMemberWithPushers(set, roomNid, userId);
      }
      if (customMember?.change === 'leaves') {
        removeCustomMember(set, roomNid, customMember.userId);
        if (isPushed(customMember.userId)) queueRead(set, customMember.userId, position);
      }
      if (customMember?.change === 'renamed') set.change(audienceChange, roomNid);
    },

    appendRedaction(set, redactedEventNid) {
      queueRecount(set, redactedEventNid, set.takePosition());
      uncountEvent(set, redactedEventNid);
    },
    close() {
      audiences.close();
      subscribers.close();
    },
  };
}

type MemberFields = Pick<CountedEvent, 'type' | 'stateKey' | 'content'>;

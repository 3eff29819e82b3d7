import { isJsonObject, isSticky, parseJson } from '@portico/protocol';
import {
  canSeeEvent,
  toHistoryVisibility,
  toMembership,
  type HistoryVisibility,
  type Membership,
  type VisibilityAnswer,
} from '@portico/protocol/visibility/can-see-event.ts';
import type { Reader } from '@portico/storage';
import type { StateKey, StateStore } from '@portico/storage/state-trie/index.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { peopleIn, type ErasedSenders } from './erased-senders.ts';
import { redactedRow } from './redacted-row.ts';
import { createSmallCache } from './small-cache.ts';

/** Somebody who reads a room, and since when and until when they were in it. */
export type RoomViewer = {
  readonly userId: string;
  /** From this place in the room's order on, up to now, they were joined without a break. */
  readonly joinedSince: number | undefined;
  /** The place in the room's order where they last ceased to be joined; infinite for who is joined. */
  readonly joinedUntil: number;
};

export type Sight = {
  readonly answer: VisibilityAnswer['answer'];
  /** The viewer's membership at the event, its own effect included. */
  readonly membership: Membership;
  /** The event as the viewer gets to see it, where that is not as it was sent. */
  readonly redacted?: ClientEventRow;
};

/** An event as a viewer gets to see it, if they do. */
export function asSeen(row: ClientEventRow, sight: Sight | undefined): ClientEventRow | undefined {
  return sight?.answer === 'yes' ? row : sight?.redacted;
}

export interface Visibility {
  /** Answers for events of one room, which it walks along in their order. */
  judge(viewer: RoomViewer, events: readonly ClientEventRow[]): Promise<ReadonlyMap<number, Sight>>;
}

type View = { readonly visibility: HistoryVisibility; readonly membership: Membership };

const maxRemembered = 20_000;
const joined: Sight = { answer: 'yes', membership: 'join' };

type Dependencies = {
  readonly db: Reader;
  readonly states: StateStore;
  readonly erased: ErasedSenders;
  readonly now: () => number;
};

/** Loads what `canSeeEvent` asks about: for a stretch of events, one look into the state before the first of them. */
export function createVisibility({ db, states, erased, now }: Dependencies): Visibility {
  // What the event says about membership or history visibility. Redaction keeps both, so it never changes.
  const values = createSmallCache<number, string>(maxRemembered);

  async function valuesOf(nids: readonly (number | undefined)[]): Promise<void> {
    const missing = nids.filter((nid): nid is number => nid !== undefined && values.get(nid) === undefined);
    for (const row of await readEvents(db, missing)) values.set(row.event_nid, valueIn(row));
  }

  async function look(rootId: number, userId: string): Promise<View> {
    const root = await answered(states.root(rootId));
    const keys: StateKey[] = [
      ['m.room.history_visibility', ''],
      ['m.room.member', userId],
    ];
    const [visibility, membership] = await answered(states.getMany(root, keys));
    await valuesOf([visibility, membership]);
    return {
      visibility: toHistoryVisibility(visibility && values.get(visibility)),
      membership: toMembership(membership && values.get(membership)),
    };
  }

  return {
    async judge(viewer, events) {
      const sights = new Map<number, Sight>();
      const unsure: ClientEventRow[] = [];
      for (const event of events) {
        if (viewer.joinedSince !== undefined && (event.room_order ?? -1) > viewer.joinedSince) {
          sights.set(event.event_nid, joined);
        } else unsure.push(event);
      }
      if (unsure.length === 0) return sights;

      unsure.sort((a, b) => (a.room_order ?? -1) - (b.room_order ?? -1));
      const erasedPeople = await erased.among(unsure.flatMap(peopleIn));
      let view: View | undefined;
      let viewRoot: number | undefined;
      for (const event of unsure) {
        const { state_before: before, state_after: after, room_order: order } = event;
        if (before === null || order === null) {
          sights.set(event.event_nid, { answer: 'no', membership: 'leave' });
          continue;
        }
        // Along a line of events, the state before one is the state after the last: only forks are looked up.
        if (view === undefined || viewRoot !== before) view = await look(before, viewer.userId);
        const next = applied(view, event, viewer.userId);
        const { answer } = canSeeEvent({
          visibility: view.visibility,
          visibilityAfter: next.visibility,
          membership: view.membership,
          membershipAfter: next.membership,
          joinedLater: order < viewer.joinedUntil,
          senderErased: peopleIn(event).some((person) => erasedPeople.has(person)),
          stickyForJoined: viewer.joinedUntil === Infinity && isSticky(event.sticky_until ?? 0, now()),
        });
        const sight = { answer, membership: next.membership };
        sights.set(
          event.event_nid,
          answer === 'redacted' ? { ...sight, redacted: await redactedRow(db, event) } : sight,
        );
        view = next;
        viewRoot = after ?? before;
      }
      return sights;
    },
  };
}

/** What the viewer's rights rest on, after the event. */
function applied(view: View, event: ClientEventRow, userId: string): View {
  if (event.state_key === '' && event.type === 'm.room.history_visibility') {
    return { ...view, visibility: toHistoryVisibility(valueIn(event)) };
  }
  if (event.state_key === userId && event.type === 'm.room.member') {
    return { ...view, membership: toMembership(valueIn(event)) };
  }
  return view;
}

function valueIn({ type, content }: ClientEventRow): string {
  const parsed = parseJson(content);
  const value = isJsonObject(parsed) ? parsed[type === 'm.room.member' ? 'membership' : 'history_visibility'] : '';
  return typeof value === 'string' ? value : '';
}

/** From memory if possible. */
export async function answered<T>(question: { now(): { value: T } | undefined; run(): Promise<T> }): Promise<T> {
  const known = question.now();
  return known === undefined ? question.run() : known.value;
}

import { coversRequiredState } from '@portico/protocol/sliding-sync/required-state.ts';
import type { OnlineUser } from '../sync/online-index.ts';
import { hasNewEvents, type LeftPlan, type Moves } from '../sync/plan.ts';
import { endOfPosition } from '../reading/tokens.ts';
import type { SentRoom, SentRooms } from './connection-state.ts';
import type { Candidate } from './candidate.ts';
import type { Wanted, WantedRoom } from './room-list.ts';

/** A joined room of which there is something to say. */
export type JoinedWish = {
  readonly wanted: WantedRoom;
  /** What the client has of it; `undefined` if it gets the room as if it had nothing. */
  readonly before: SentRoom | undefined;
  /** The position up to which it has it. */
  readonly from: number;
  /** Whether there are, or may be, events that it has not got. */
  readonly hasNews: boolean;
  /** Whether it wants more of the past than before. */
  readonly isExpanded: boolean;
  /** Whether it wants more of the state than before. */
  readonly wantsState: boolean;
  readonly isDm: boolean;
};

export type PendingWish = { readonly wanted: WantedRoom; readonly before: SentRoom | undefined };
export type DepartedWish = {
  readonly wanted: WantedRoom;
  readonly before: SentRoom | undefined;
  readonly plan: LeftPlan;
};

export type SlidingPlan = {
  readonly joined: readonly JoinedWish[];
  readonly pending: readonly PendingWish[];
  readonly departed: readonly DepartedWish[];
  /** Joined rooms that the client has had, but did not have all along: of what lies beside the timelines all is news. */
  readonly returning: ReadonlySet<number>;
  /** What becomes of rooms that are not shown: what the client has of them ends here. */
  readonly paused: SentRooms;
  /** Whether everything that is wanted is in the plan. */
  readonly isComplete: boolean;
};

export type PlanFacts = {
  /** The position that the client shows; `undefined` for a new connection. */
  readonly since: number | undefined;
  /** What became of the user's memberships since then. */
  readonly moves: ReadonlyMap<number, Moves>;
  /** When the user last ceased to be joined to rooms. */
  readonly ends: ReadonlyMap<number, number>;
  readonly direct: ReadonlySet<string>;
};

/** One answer holds no more than that; the next one, which is not waited for, holds the rest. */
const maxNewRooms = 500;
const maxEvents = 10_000;

export function makeSlidingPlan(
  candidates: readonly Candidate[],
  { rooms }: Wanted,
  sent: SentRooms,
  facts: PlanFacts,
): SlidingPlan {
  const { since, ends } = facts;
  const joined: JoinedWish[] = [];
  const pending: PendingWish[] = [];
  const departed: DepartedWish[] = [];
  const returning = new Set<number>();
  const shown = new Set<number>();
  let [newRooms, events, isComplete] = [0, 0, true];
  for (const wanted of rooms) {
    const { room, config } = wanted;
    shown.add(room.nid);
    const known = sent.get(room.nid);
    if (room.membership === 'join') {
      const wish = joinedWish(wanted, known, facts);
      if (wish === undefined) continue;
      const isLarge = wish.before === undefined || wish.isExpanded;
      if (isLarge && (newRooms >= maxNewRooms || events + config.limit > maxEvents)) {
        isComplete = false;
        // It is as if it were out of sight: what the client has of it ends here until it comes.
        shown.delete(room.nid);
        continue;
      }
      if (isLarge) [newRooms, events] = [newRooms + 1, events + config.limit];
      if (wish.before !== undefined && wish.before.sentTo !== 'live') returning.add(room.nid);
      joined.push(wish);
    } else if (room.membership === 'leave') {
      const plan = room.departed && leftPlan(room, known, since, ends);
      if (plan !== undefined) departed.push({ wanted, before: known, plan });
    } else if (known?.membership !== room.membership || room.position > positionOf(known, since)) {
      pending.push({ wanted, before: known });
    }
  }
  const paused = pause(candidates, sent, shown, facts);
  return { joined, pending, departed, returning, paused, isComplete };
}

function joinedWish(
  wanted: WantedRoom,
  known: SentRoom | undefined,
  { since, moves, direct }: PlanFacts,
): JoinedWish | undefined {
  const { room, config } = wanted;
  const isDm = direct.has(room.id);
  const isKnown = known?.membership === 'join' && moves.get(room.nid)?.left !== true;
  if (!isKnown || since === undefined || room.entry === undefined) {
    return { wanted, before: undefined, from: -1, hasNews: true, isExpanded: false, wantsState: false, isDm };
  }
  const from = positionOf(known, since);
  const hasNews = hasNewEvents(room.entry, from);
  const isExpanded = config.limit > known.limit;
  const wantsState = !coversRequiredState(known.state, config.state);
  const isBack = known.sentTo !== 'live';
  if (!hasNews && !isExpanded && !wantsState && !isBack && isDm === known.isDm) return undefined;
  return { wanted, before: known, from, hasNews, isExpanded, wantsState, isDm };
}

function positionOf(room: SentRoom | undefined, since: number | undefined): number {
  return room === undefined || since === undefined ? -1 : room.sentTo === 'live' ? since : room.sentTo;
}

function leftPlan(
  { departed: row, nid, id, position }: Candidate,
  known: SentRoom | undefined,
  since: number | undefined,
  ends: ReadonlyMap<number, number>,
): LeftPlan | undefined {
  const from = positionOf(known, since);
  if (row === undefined || (known?.membership !== undefined && position <= from)) return undefined;
  const until = ends.get(nid);
  // Of what they were in before the client was last told, it has been told.
  const wasJoined = until !== undefined && (known?.membership === undefined || until > from);
  const continues = known?.membership === 'join';
  return {
    nid,
    id,
    eventNid: row.event_nid,
    // Merged branches can end a membership later than with the event that says so.
    end: Math.max(row.room_order, endOfPosition(position)),
    since: continues ? endOfPosition(from) : undefined,
    joinedUntil: wasJoined ? endOfPosition(until) : undefined,
    isInvited: false,
  };
}

/** Rooms that the client has had, that are not wanted now, and of which it misses something from now on. */
function pause(
  candidates: readonly Candidate[],
  sent: SentRooms,
  shown: ReadonlySet<number>,
  { since, moves }: PlanFacts,
): SentRooms {
  const paused = new Map<number, SentRoom>();
  if (since === undefined || sent.size === 0) return paused;
  const rooms = new Map(candidates.map((room) => [room.nid, room]));
  for (const [nid, known] of sent) {
    if (shown.has(nid) || known.membership === undefined) continue;
    const room = rooms.get(nid);
    if (moves.get(nid)?.left === true && room?.membership === 'join') {
      // They have left it and come back: nothing of before can be continued.
      paused.set(nid, { ...known, membership: undefined });
    } else if (known.sentTo === 'live' && missesSomething(room, since)) {
      paused.set(nid, { ...known, sentTo: since });
    }
  }
  return paused;
}

function missesSomething(room: Candidate | undefined, since: number): boolean {
  if (room === undefined || room.position > since) return true;
  return room.entry !== undefined && room.membership === 'join' && hasNewEvents(room.entry, since);
}

export function movedSince(user: OnlineUser, since: number | undefined): since is number {
  return since !== undefined && user.membershipPosition > since;
}

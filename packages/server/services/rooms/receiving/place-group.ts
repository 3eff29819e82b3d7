import type { ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { Database, WriteSet } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { turnAwayEntrants } from '../blocking/refuse-blocked-room.ts';
import type { Decision, StepCommitter } from '../commit-steps.ts';
import { createPacer } from '../../pacer.ts';
import { NotInMemory, withReads } from '../decide.ts';
import type { RoomHead } from '../head.ts';
import type { RoomHeads } from '../heads.ts';
import type { Step } from '../steps.ts';
import { writeHead } from '../write-steps.ts';
import { placeOnHead, type PlaceDependencies } from './place.ts';
import type { Prepared } from './prepare.ts';
import type { Outcome, ReceivingRoom, SoftFailure } from './received-event.ts';
import { storeOutside, writesOutside } from './store-outside.ts';

/**
 * Makes events part of their room, all in one commit, up to one that fails softly, which is stored alone: the outcomes of
 * the first few, at least of one. The others are let go of. `isAlone`: while nobody else can commit.
 */
export type PlaceGroup = (
  room: ReceivingRoom,
  group: readonly Prepared[],
  isAlone: boolean,
) => Promise<readonly Outcome[]>;

type Dependencies = PlaceDependencies & {
  readonly db: Database;
  readonly heads: RoomHeads;
  readonly chains: ChainStore;
  readonly committer: StepCommitter;
};

/** Milliseconds. */
const longestTurn = 10;

/** Steps on top of a head; and why the event after them has no place. */
type Placed = { readonly base: RoomHead; readonly steps: Step[]; refusal: SoftFailure | undefined };

export function createPlaceGroup(deps: Dependencies): PlaceGroup {
  const { heads, states, committer } = deps;

  /** Lets go of the states that were made for these steps only. */
  function undo({ steps }: Placed, group: readonly Prepared[]): void {
    for (const [index, { edits }] of steps.entries()) {
      const own = group[index]?.edits ?? [];
      for (const edit of edits) if (!own.includes(edit)) states.settle(edit, false);
    }
  }

  /** Goes on to the end of the group; or to where something has to be read, or others are to have their turn, which is returned. */
  function proceed(placed: Placed, group: readonly Prepared[]): NotInMemory | undefined {
    const pace = createPacer(longestTurn);
    try {
      while (placed.refusal === undefined && placed.steps.length < group.length) {
        const pause = pace();
        if (pause !== undefined) return new NotInMemory(() => pause);
        const head = placed.steps.at(-1)?.head ?? placed.base;
        const next = placeOnHead(deps, head, group[placed.steps.length] as Prepared);
        if ('event' in next) placed.steps.push(next);
        else placed.refusal = next;
      }
      return undefined;
    } catch (error) {
      if (error instanceof NotInMemory) return error;
      throw error;
    }
  }

  const decisionOf = ({ base, steps }: Placed): Decision => ({
    steps,
    before: base,
    moveHead(set, after, position) {
      writeHead(set, after, base, position);
      turnAwayEntrants(set, steps);
    },
  });

  /**
   * Places the group on the newest head: again from the start whenever that moves while something is read; then no more of it than
   * is found in memory at once, lest those who move the head keep it from its place. `take` is called in the same turn of the event loop.
   */
  async function placeNow<T>(
    { roomNid }: ReceivingRoom,
    group: readonly Prepared[],
    take: (placed: Placed) => Promise<T>,
  ): Promise<T> {
    let placed: Placed | undefined;
    let isHurried = false;
    try {
      for (;;) {
        const base = heads.current(roomNid);
        if (placed !== undefined && placed.base !== base) {
          undo(placed, group);
          placed = undefined;
          isHurried = true;
        }
        if (base === undefined) {
          if ((await heads.load(roomNid)) === undefined) throw new Error(`room ${roomNid} does not exist`);
          continue;
        }
        placed ??= { base, steps: [], refusal: undefined };
        const missing = proceed(placed, group);
        if (missing === undefined || (isHurried && placed.steps.length > 0)) break;
        await missing.read();
      }
    } catch (error) {
      if (placed !== undefined) undo(placed, group);
      committer.settle(group, false);
      throw error;
    }
    return take(placed);
  }

  /** Lets go of what does not get its place now; what the others came to. */
  function outcomesOf({ steps }: Placed, group: readonly Prepared[]): readonly Outcome[] {
    committer.settle(group.slice(steps.length), false);
    return steps.map(({ stored }) => ({ kind: 'accepted', eventNid: stored.eventNid }));
  }

  async function placeInLine(
    room: ReceivingRoom,
    group: readonly [Prepared, ...Prepared[]],
  ): Promise<readonly Outcome[]> {
    return placeNow(room, group, async (placed) => {
      if (placed.steps.length > 0) {
        const committed = committer.commit(decisionOf(placed));
        const outcomes = outcomesOf(placed, group);
        await committed;
        return outcomes;
      }
      committer.settle(group.slice(1), false);
      await storeOutside(deps, room, group[0], eventStatus.softFailed);
      return [softFailed(placed)];
    });
  }

  /** Places an event while nobody else can commit. */
  async function placeAlone(room: ReceivingRoom, prepared: Prepared): Promise<Outcome> {
    let placed: Placed | undefined;
    let committed = false;
    try {
      await committer.commitAlone(async (turn): Promise<Decision | WriteSet> => {
        const base = await heads.inTurn(turn, room.roomNid);
        if (base === undefined) throw new Error(`room ${room.roomNid} does not exist`);
        const step = await withReads(() => placeOnHead(deps, base, prepared));
        placed = 'event' in step ? { base, steps: [step], refusal: undefined } : { base, steps: [], refusal: step };
        return placed.refusal === undefined
          ? decisionOf(placed)
          : writesOutside(deps, room, prepared, eventStatus.softFailed);
      });
      committed = true;
    } finally {
      // A decision is settled by who commits it.
      if (placed === undefined || placed.refusal !== undefined) committer.settle([prepared], committed);
    }
    return placed?.refusal === undefined
      ? { kind: 'accepted', eventNid: prepared.stored.eventNid }
      : softFailed(placed);
  }

  return async (room, group, isAlone) => {
    const [first, ...others] = group;
    if (first === undefined) return [];
    if (!isAlone) return placeInLine(room, [first, ...others]);
    committer.settle(others, false);
    return [await placeAlone(room, first)];
  };
}

function softFailed({ refusal }: Placed): Outcome {
  if (refusal === undefined) throw new Error('an event that has a place was said to have none');
  return { kind: 'soft-failed', rule: refusal.rule, reason: refusal.reason };
}

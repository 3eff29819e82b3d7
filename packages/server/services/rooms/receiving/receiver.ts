import { StorageError } from '@portico/storage';
import type { CommitterDependencies, StepCommitter } from '../commit-steps.ts';
import { type DecideContext, isConflict } from '../decide.ts';
import type { KnownState } from '../known-state.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import type { ReadState } from '../read-state.ts';
import { maxConflicts, patience } from '../writer.ts';
import { createApplyPolicy } from './apply-policy.ts';
import { createGather } from './gather.ts';
import type { Merger } from './merge.ts';
import { createPlaceGroup } from './place-group.ts';
import { createPrepare } from './prepare.ts';
import type { Outcome, ReceivedEvent, ReceivingRoom, Result } from './received-event.ts';

export type ReceiverDependencies = DecideContext &
  CommitterDependencies & {
    readonly known: KnownState;
    readonly merger: Merger;
    readonly committer: StepCommitter;
    readonly policy: RoomPolicy;
    readonly readState: ReadState;
  };

/** The one way in which events of other servers enter rooms. */
export interface Receiver {
  /**
   * Judges an event, stores it, and makes it part of the room if it may be. The events that it follows, and its auth
   * events, must be here: otherwise `MissingEventsError`.
   */
  receive(room: ReceivingRoom, received: ReceivedEvent): Promise<Outcome>;
  /**
   * The same for events in an order in which each comes after those it follows. They are read, judged and stored together;
   * what is wrong with one changes nothing for the others.
   */
  receiveAll(room: ReceivingRoom, events: readonly ReceivedEvent[]): Promise<readonly Result[]>;
}

/** What is stored at once. */
const maxGroup = 64;
const maxCharacters = 1_000_000;

export function createReceiver(deps: ReceiverDependencies): Receiver {
  const gather = createGather(deps, {
    prepare: createPrepare(deps),
    applyPolicy: createApplyPolicy(deps),
  });
  const placeGroup = createPlaceGroup({ ...deps, serverName: deps.signer.serverName });

  /** What became of the first of some events, or of the first few. */
  async function receiveFirst(
    room: ReceivingRoom,
    events: readonly ReceivedEvent[],
    conflicts: number,
  ): Promise<readonly Result[]> {
    const { results, group } = await gather(room, events);
    const placed = group.length === 0 ? [] : await placeGroup(room, group, conflicts >= patience);
    const byEvent = new Map(group.map(({ stored }, index) => [stored.eventId, placed[index]]));
    const all: Result[] = [];
    for (const [index, result] of results.entries()) {
      const known = result ?? byEvent.get(events[index]?.event.eventId ?? '');
      if (known === undefined) break;
      all.push(known);
    }
    return all;
  }

  async function receiveAll(room: ReceivingRoom, events: readonly ReceivedEvent[]): Promise<readonly Result[]> {
    const results: Result[] = [];
    let [conflicts, alone, most] = [0, 0, maxGroup];
    while (results.length < events.length) {
      const rest = events.slice(results.length, results.length + most);
      const group = alone > 0 ? rest.slice(0, 1) : rest.slice(0, lengthOfGroup(rest));
      try {
        const received = await receiveFirst(room, group, conflicts);
        results.push(...received);
        // The others have been judged in vain.
        most = Math.min(2 * (received.length < group.length ? received.length : most), maxGroup);
        [conflicts, alone] = [0, alone - 1];
      } catch (error) {
        if (isOvertaken(error) && ++conflicts <= maxConflicts) continue;
        conflicts = 0;
        // One of them is to blame.
        if (group.length > 1) alone = group.length;
        else results.push({ kind: 'failed', error });
      }
    }
    return results;
  }

  return {
    async receive(room, received) {
      const [result] = await receiveAll(room, [received]);
      if (result === undefined) throw new Error('an event was received without a result');
      if (result.kind === 'failed') throw result.error;
      return result;
    },
    receiveAll,
  };
}

function lengthOfGroup(events: readonly ReceivedEvent[]): number {
  let characters = 0;
  const end = events.findIndex(({ pieces }, index) => {
    characters += pieces.before.length + pieces.content.length + pieces.after.length;
    return index > 0 && characters > maxCharacters;
  });
  return end === -1 ? events.length : end;
}

/** Whether another process was faster, with the room or with one of the events. */
function isOvertaken(error: unknown): boolean {
  return isConflict(error) || (error instanceof StorageError && error.guard === 'event.duplicate');
}

import { createPackNumbers } from '@portico/storage/state-trie/pack-numbers.ts';
import type { Database, WriteSet } from '@portico/storage';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import type { StepCommitter } from './commit-steps.ts';
import { decide, type DecideContext, isConflict, keysOf, NotInMemory } from './decide.ts';
import type { Draft } from './draft.ts';
import { getKnown, type RoomHead } from './head.ts';
import type { RoomHeads } from './heads.ts';
import type { KnownState } from './known-state.ts';
import type { Appended, Plan, RoomView, RoomWriter } from './room-writer.ts';
import type { Step } from './steps.ts';
import { strippedStateKeys } from './stripped-state.ts';
import { writeHead, writeNewRoom } from './write-steps.ts';

export type WriterDependencies = DecideContext & {
  readonly db: Database;
  readonly heads: RoomHeads;
  readonly known: KnownState;
  readonly unread: UnreadService;
  readonly committer: StepCommitter;
};

/** Starts a room: `head` is the one before its create event. */
export type RoomStarter = (
  head: RoomHead,
  drafts: readonly Draft[],
  alongside: (set: WriteSet) => void,
) => Promise<Appended & { readonly roomId: string }>;

/** How often a decision is made again because another process was faster. */
const maxConflicts = 20;

export function createRoomWriter(deps: WriterDependencies): RoomWriter & { readonly start: RoomStarter } {
  const { db, heads, known, committer } = deps;
  const numbers = createPackNumbers((count) => db.reserveIds('event', count));

  /** Makes the whole decision from memory, or throws `NotInMemory`. */
  function decideAll(head: RoomHead, drafts: readonly Draft[]): readonly Step[] {
    const keys = drafts.flatMap((draft) => [
      ...keysOf(head.rules, draft),
      ...(isInvitation(draft) ? strippedStateKeys : []),
    ]);
    need(head, keys);
    for (const { type, stateKey, sender, content } of drafts) {
      const { roomNid, roomId } = head;
      const read = deps.unread.missing({ roomNid, roomId, type, stateKey, sender, content });
      if (read !== undefined) throw new NotInMemory(read);
    }
    const first = numbers.takeNow(drafts.length);
    if (first === undefined) throw new NotInMemory(async () => void (await numbers.take(drafts.length)));
    const steps: Step[] = [];
    try {
      let current = head;
      for (const [index, draft] of drafts.entries()) {
        const step = decide(deps, current, draft, first + index);
        steps.push(step);
        current = step.head;
      }
    } catch (error) {
      committer.settle(steps, false);
      throw error;
    }
    return steps;
  }

  function need(head: RoomHead, keys: Plan['needs']): void {
    if (!known.knowNow(head, keys)) throw new NotInMemory(() => known.know(head, keys));
  }

  async function tryAppend(roomNid: number, plan: Plan): Promise<Appended> {
    const head = heads.current(roomNid) ?? (await heads.load(roomNid));
    if (head === undefined) throw new MatrixError('room.not-found');
    need(head, plan.needs);
    const drafts = plan.drafts(viewOf(head));
    if (drafts.length === 0) return { roomNid, events: [] };
    const steps = decideAll(head, drafts);
    const appended = {
      roomNid,
      events: steps.map(({ stored }) => ({ eventNid: stored.eventNid, eventId: stored.eventId })),
    };
    await committer.commit(steps, head, (set, after, position) => {
      writeHead(set, after, head.version, position);
      plan.alongside?.(set, appended, position);
    });
    return appended;
  }

  return {
    async append(roomNid, plan) {
      for (let conflicts = 0; ;) {
        try {
          return await tryAppend(roomNid, plan);
        } catch (error) {
          if (error instanceof NotInMemory) await error.read();
          else if (!isConflict(error) || ++conflicts > maxConflicts) throw error;
        }
      }
    },
    async start(head, drafts, alongside) {
      for (;;) {
        try {
          const steps = decideAll(head, drafts);
          const roomId = steps[0]?.head.roomId ?? head.roomId;
          const createEventNid = steps[0]?.stored.eventNid ?? 0;
          await committer.commit(steps, head, (set, after, position) => {
            writeNewRoom(set, { ...after, createEventNid }, position);
            alongside(set);
          });
          const events = steps.map(({ stored }) => ({ eventNid: stored.eventNid, eventId: stored.eventId }));
          return { roomNid: head.roomNid, roomId, events };
        } catch (error) {
          if (!(error instanceof NotInMemory)) throw error;
          await error.read();
        }
      }
    },
  };
}

function viewOf(head: RoomHead): RoomView {
  return { head, state: (type, stateKey) => getKnown(head, type, stateKey) };
}

function isInvitation(draft: Draft): boolean {
  return draft.type === 'm.room.member' && draft.content['membership'] === 'invite';
}

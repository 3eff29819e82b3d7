import type { EventSigner } from '@portico/protocol';
import { bumpTypes } from '@portico/protocol/sliding-sync/bump-types.ts';
import {
  createWriteSet,
  type Database,
  type PositionParam,
  StorageError,
  type Turn,
  type WriteSet,
} from '@portico/storage';
import type { ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { getKnown, type RoomHead } from './head.ts';
import type { RoomHeads } from './heads.ts';
import { trimKnown } from './known-state.ts';
import type { StateEvents } from './state-events.ts';
import type { Step } from './steps.ts';
import { strippedState, strippedStateKeys } from './stripped-state.ts';
import { positionAt, writeSteps } from './write-steps.ts';

export type CommitterDependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly heads: RoomHeads;
  readonly stateEvents: StateEvents;
  readonly unread: UnreadService;
  readonly signer: Pick<EventSigner, 'serverName'>;
};

export type MoveHead = (set: WriteSet, after: RoomHead, position: PositionParam) => void;

/** Steps decided on top of a head, and how they move it. */
export type Decision = { readonly steps: readonly Step[]; readonly before: RoomHead; readonly moveHead: MoveHead };

export interface StepCommitter {
  /**
   * Commits decided steps, and `moveHead` with them. The head they lead to is what the next decision starts from, already
   * before the commit. States and places that the steps made are settled either way.
   */
  commit(decision: Decision): Promise<void>;
  /** The same while nobody else can commit. `decide` finds the head with `heads.inTurn`; a set it returns is written as it is. */
  commitAlone(decide: (turn: Turn) => Promise<Decision | WriteSet>): Promise<void>;
  /** Says what became of states and places that steps made. */
  settle(steps: readonly Pick<Step, 'edits' | 'chain'>[], committed: boolean): void;
}

export function createStepCommitter(deps: CommitterDependencies): StepCommitter {
  const { db, heads, states, chains, stateEvents, unread, signer } = deps;

  function settle(steps: readonly Pick<Step, 'edits' | 'chain'>[], committed: boolean): void {
    for (const { edits, chain } of steps) {
      for (const edit of edits) states.settle(edit, committed);
      if (chain !== undefined) chains.settle(chain, committed);
    }
  }

  /** The write set of a decision, and the head it leads to. */
  function compile({ steps, before, moveHead }: Decision): { readonly set: WriteSet; readonly after: RoomHead } {
    const last = steps.at(-1);
    if (last === undefined) throw new Error('there is nothing to commit');
    const isActivity = steps.some(isBump);
    const after = trimKnown({ ...last.head, version: before.version + 1, isActivity });
    const set = createWriteSet();
    const positions = steps.map(() => set.takePosition());
    // The head goes first: whoever decided on an old head must hear of that, whatever else no longer holds.
    moveHead(set, after, positionAt(positions, -1));
    writeSteps(set, steps, positions, unread, strippedStateFor, signer.serverName);
    for (const { event, stored, edits, chain } of steps) {
      for (const edit of edits) states.append(set, after.roomNid, edit);
      if (chain !== undefined) chains.append(set, chain);
      if (event.stateKey !== undefined) stateEvents.add({ nid: stored.eventNid, event });
    }
    return { set, after };
  }

  async function settleAfter({ steps }: Decision, after: RoomHead, committed: Promise<unknown>): Promise<void> {
    try {
      await committed;
      settle(steps, true);
    } catch (error) {
      settle(steps, false);
      heads.drop(after.roomNid, after.lineage);
      throw error;
    } finally {
      heads.settle(after.roomNid);
    }
  }

  return {
    settle,
    commit(decision) {
      const { set, after } = compile(decision);
      heads.advance(after);
      return settleAfter(decision, after, db.commit(set));
    },
    async commitAlone(decide) {
      let made: { readonly decision: Decision; readonly after: RoomHead } | undefined;
      const committed = db.commitAlone(async (turn) => {
        const decision = await decide(turn);
        if (!('steps' in decision)) return decision;
        if (turn.over) {
          settle(decision.steps, false);
          throw new StorageError('unavailable', 'The decision came too late');
        }
        const { set, after } = compile(decision);
        made = { decision, after };
        heads.advance(after, turn);
        return set;
      });
      const outcome = await committed.then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (made !== undefined) await settleAfter(made.decision, made.after, committed);
      if (outcome !== undefined) throw outcome.error;
    },
  };
}

function isBump({ event, assessment }: Step): boolean {
  return assessment !== undefined && bumpTypes.has(event.type);
}

/** What somebody of this server who is invited, or knocks, gets to see of the room. */
function strippedStateFor({ event, head, memberships }: Step): string | undefined {
  const membership = memberships.find(({ userId }) => userId === event.stateKey);
  if (membership === undefined || !membership.isLocal || !isPending(membership.membership)) return undefined;
  const sender = event.sender === event.stateKey ? undefined : head.known.get(`m.room.member\0${event.sender}`)?.event;
  return strippedState([
    ...strippedStateKeys.map(([type, stateKey]) => getKnown(head, type, stateKey)?.event),
    sender,
    event,
  ]);
}

function isPending(membership: string): boolean {
  return membership === 'invite' || membership === 'knock';
}

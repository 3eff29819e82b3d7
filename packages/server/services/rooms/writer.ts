import { runSteps, type Steps } from '@portico/protocol/steps.ts';
import { createPackNumbers } from '@portico/storage/state-trie/pack-numbers.ts';
import { createWriteSet, type Database, StorageError, type WriteSet } from '@portico/storage';
import { MatrixError } from '../../errors/matrix-error.ts';
import { inSteps } from '../in-steps.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { createWorkQueue, type WorkQueue } from '../work-queue.ts';
import { requireActiveMembers } from './active-members.ts';
import { requireOpenRoom } from './blocking/refuse-blocked-room.ts';
import type { Decision, StepCommitter } from './commit-steps.ts';
import { decideAmong, type DecideAmongDependencies } from './decide-among.ts';
import { isConflict, keysOf, lettingGo, NotInMemory, withReads } from './decide.ts';
import type { Draft } from './draft.ts';
import { getKnown, type RoomHead } from './head.ts';
import type { RoomHeads } from './heads.ts';
import { mayNeedSignature, policyKey, type RoomPolicy } from './policy/room-policy.ts';
import type { Appended, Plan, RoomView, RoomWriter } from './room-writer.ts';
import type { Step } from './steps.ts';
import { showsStrippedState, strippedStateKeys } from './stripped-state.ts';
import { writeHead, writeNewRoom } from './write-steps.ts';

export type WriterDependencies = DecideAmongDependencies & {
  readonly db: Database;
  readonly heads: RoomHeads;
  readonly unread: UnreadService;
  readonly committer: StepCommitter;
  readonly policy: RoomPolicy;
};

/** Starts a room: `head` is the one before its create event. */
export type RoomStarter = (
  head: RoomHead,
  drafts: readonly Draft[],
  alongside: (set: WriteSet) => void,
) => Promise<Appended & { readonly roomId: string }>;

/** After how many conflicts a decision is made while nobody else can commit, and how often it is made again at all. */
export const patience = 2;
export const maxConflicts = 20;

/** Plans that wait for those before them, in a room with a policy server. */
const mostToBeSigned = 100;

/**
 * What tries on the same head have in common: events that are decided again are the same ones, so that what was worked out for
 * them still holds.
 */
type Tried = {
  readonly head: RoomHead;
  readonly count: number;
  /** The number of the first event. */
  readonly first: number;
  readonly again: () => DecideAmongDependencies;
};
type Tries = { last?: Tried };

type Decided = { readonly decision: Decision; readonly appended: Appended };

/** The room has a policy server, which is to see the events before they are anybody's. */
class ToBeSigned extends Error {}

export type RoomStarts = {
  readonly start: RoomStarter;
  /** Refuses as `start` would, and writes nothing. */
  readonly rehearse: (head: RoomHead, drafts: readonly Draft[]) => Promise<void>;
};

export function createRoomWriter(deps: WriterDependencies): RoomWriter & RoomStarts {
  const { db, heads, known, committer } = deps;
  const numbers = createPackNumbers((count) => db.reserveIds('event', count));

  /** Makes the whole decision from memory, or throws `NotInMemory`. */
  function* decideInSteps(head: RoomHead, drafts: readonly Draft[], tries: Tries): Steps<readonly Step[]> {
    const keys = drafts.flatMap((draft) => [
      ...keysOf(head.rules, draft),
      ...(showsStrippedState(draft) ? strippedStateKeys : []),
    ]);
    need(head, keys);
    for (const draft of drafts) needCounting(head, draft);
    const { first, again } = onHead(tries, head, drafts.length);
    const context = again();
    const steps: Step[] = [];
    try {
      let current = head;
      for (const [index, draft] of drafts.entries()) {
        // Between steps others have their turns, who may have changed what was known.
        needCounting(head, draft);
        const step = decideAmong(context, current, draft, first + index);
        steps.push(step);
        current = step.head;
        yield;
      }
    } catch (error) {
      throw lettingGo(error, () => committer.settle(steps, false));
    }
    return steps;
  }

  function onHead(tries: Tries, head: RoomHead, count: number): Tried {
    if (tries.last?.head === head && tries.last.count === count) return tries.last;
    const first = numbers.takeNow(count);
    if (first === undefined) throw new NotInMemory(async () => void (await numbers.take(count)));
    const now = deps.now();
    const ids: string[] = [];
    const again = (): DecideAmongDependencies => {
      let next = 0;
      return { ...deps, now: () => now, randomId: () => (ids[next++] ??= deps.randomId()) };
    };
    return (tries.last = { head, count, first, again });
  }

  /** At once, so that the head is still the room's when they are committed. */
  const decideAll = (head: RoomHead, drafts: readonly Draft[], tries: Tries): readonly Step[] =>
    runSteps(decideInSteps(head, drafts, tries));

  /** What tells for whom an event counts. */
  function needCounting({ roomNid, roomId }: RoomHead, { type, stateKey, sender, content }: Draft): void {
    const read = deps.unread.missing({ roomNid, roomId, type, stateKey, sender, content });
    if (read !== undefined) throw new NotInMemory(read);
  }

  function need(head: RoomHead, keys: Plan['needs']): void {
    if (!known.knowNow(head, keys)) throw new NotInMemory(() => known.know(head, keys));
  }

  /** Decides a plan on top of a head; `undefined` if there is nothing to do. Throws `NotInMemory`, `ToBeSigned`. */
  function decidePlan(head: RoomHead, plan: Plan, tries: Tries, isToBeSigned = false): Decided | undefined {
    need(head, [...plan.needs, policyKey]);
    const drafts = plan.drafts(viewOf(head));
    if (drafts.length === 0) return undefined;
    if (!isToBeSigned && mayNeedSignature(head, drafts)) throw new ToBeSigned();
    const steps = decideAll(head, drafts, tries);
    const events = steps.map(({ stored }) => ({ eventNid: stored.eventNid, eventId: stored.eventId }));
    const appended = { roomNid: head.roomNid, events };
    const moveHead: Decision['moveHead'] = (set, after, position) => {
      writeHead(set, after, head, position);
      requireActiveMembers(set, steps);
      requireOpenRoom(set, steps);
      plan.alongside?.(set, appended, position);
    };
    return { decision: { steps, before: head, moveHead }, appended };
  }

  async function tryAppend(roomNid: number, plan: Plan, tries: Tries): Promise<Appended> {
    const head = heads.current(roomNid) ?? (await heads.load(roomNid));
    if (head === undefined) throw new MatrixError('room.not-found');
    const decided = decidePlan(head, plan, tries);
    if (decided === undefined) return { roomNid, events: [] };
    await committer.commit(decided.decision);
    return decided.appended;
  }

  async function appendAlone(roomNid: number, plan: Plan, tries: Tries): Promise<Appended> {
    let appended: Appended = { roomNid, events: [] };
    await committer.commitAlone(async (turn) => {
      const head = await heads.inTurn(turn, roomNid);
      if (head === undefined) throw new MatrixError('room.not-found');
      const decided = await withReads(() => decidePlan(head, plan, tries));
      if (decided === undefined) return createWriteSet();
      appended = decided.appended;
      return decided.decision;
    });
    return appended;
  }

  /**
   * Carries out a plan in a room whose policy server wants to see events first: one plan after the other, since whoever waits for a
   * signature must not find the room changed.
   */
  async function appendSigned(roomNid: number, plan: Plan): Promise<Appended> {
    const tries: Tries = {};
    for (let conflicts = 0; ;) {
      const head = heads.current(roomNid) ?? (await heads.load(roomNid));
      if (head === undefined) throw new MatrixError('room.not-found');
      const decided = await withReads(() => decidePlan(head, plan, tries, true));
      if (decided === undefined) return { roomNid, events: [] };
      try {
        await committer.commit(await signed(head, decided.decision, plan.goesUnsigned));
        return decided.appended;
      } catch (error) {
        if (!isConflict(error) || ++conflicts > maxConflicts) throw error;
      }
    }
  }

  async function signed(head: RoomHead, decision: Decision, goesUnsigned: Plan['goesUnsigned']): Promise<Decision> {
    const { roomNid } = head;
    try {
      const steps = await Promise.all(
        decision.steps.map(async (step) => {
          const pieces = await deps.policy.signPieces(head, step.event, step.stored).catch((error: unknown) => {
            if (mayGoUnsigned(error, goesUnsigned)) return {};
            throw error;
          });
          return { ...step, stored: { ...step.stored, ...pieces } };
        }),
      );
      if (heads.current(roomNid) === head) return { ...decision, steps };
      throw new StorageError('guard-failed', 'The room has changed meanwhile', { guard: 'room.head' });
    } catch (error) {
      committer.settle(decision.steps, false);
      throw error;
    }
  }

  const signing = new Map<number, WorkQueue>();
  async function inTurnOf(roomNid: number, work: () => Promise<Appended>): Promise<Appended> {
    const queue = signing.get(roomNid) ?? createWorkQueue({ concurrency: 1, mostWaiting: mostToBeSigned });
    signing.set(roomNid, queue);
    try {
      return await queue.run(work);
    } finally {
      if (queue.size === 0) signing.delete(roomNid);
    }
  }

  return {
    async append(roomNid, plan) {
      const tries: Tries = {};
      for (let conflicts = 0; ;) {
        try {
          return await (conflicts < patience ? tryAppend(roomNid, plan, tries) : appendAlone(roomNid, plan, tries));
        } catch (error) {
          if (error instanceof ToBeSigned) return inTurnOf(roomNid, () => appendSigned(roomNid, plan));
          if (error instanceof NotInMemory) await error.read();
          else if (!isConflict(error) || ++conflicts > maxConflicts) throw error;
        }
      }
    },
    async rehearse(head, drafts) {
      const tries: Tries = {};
      committer.settle(await withReads(() => decideAll(head, drafts, tries)), false);
    },
    async start(head, drafts, alongside) {
      const tries: Tries = {};
      for (;;) {
        try {
          // Nobody else decides about a room that does not exist yet.
          const steps = await inSteps(decideInSteps(head, drafts, tries));
          const roomId = steps[0]?.head.roomId ?? head.roomId;
          const createEventNid = steps[0]?.stored.eventNid ?? 0;
          const moveHead: Decision['moveHead'] = (set, after, position) => {
            writeNewRoom(set, { ...after, createEventNid }, position);
            requireActiveMembers(set, steps);
            alongside(set);
          };
          await committer.commit({ steps, before: head, moveHead });
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

const refusals: ReadonlySet<string> = new Set(['policy.refused', 'policy.not-signed']);
const silences: ReadonlySet<string> = new Set(['policy.unavailable', 'request.limit-exceeded']);

function mayGoUnsigned(error: unknown, goesUnsigned: Plan['goesUnsigned']): boolean {
  if (goesUnsigned === undefined || !(error instanceof MatrixError)) return false;
  return refusals.has(error.reason) || (goesUnsigned === 'if-not-signed' && silences.has(error.reason));
}

function viewOf(head: RoomHead): RoomView {
  return { head, state: (type, stateKey) => getKnown(head, type, stateKey) };
}

/** What a person is shown the room's stripped state for. */

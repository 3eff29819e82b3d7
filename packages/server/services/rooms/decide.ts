import {
  authEventKeys,
  authorise,
  buildEvent,
  type BuiltEvent,
  type EventSigner,
  type NewEvent,
  type RoomEvent,
  type RoomVersionRules,
} from '@portico/protocol';
import { StorageError } from '@portico/storage';
import type { ChainAssignment, ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateEdit, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { notCounted } from '../unread/tally.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { extremityOf } from './branches.ts';
import { countedEvent, roomFacts } from './counting.ts';
import type { Draft } from './draft.ts';
import { getKnown, type RoomHead } from './head.ts';
import { knownAfter } from './known-state.ts';
import { countChange, membershipsOf } from './memberships-of.ts';
import type { ReferenceHashes } from './reference-hashes.ts';
import { refuseUnauthorised } from './refuse-unauthorised.ts';
import type { Step } from './steps.ts';
import { stickinessOf } from './stickiness.ts';
import { unplacedEvent } from './unplaced-event.ts';

export type DecideContext = {
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly unread: Pick<UnreadService, 'assess'>;
  readonly signer: EventSigner;
  readonly references: ReferenceHashes;
  readonly randomId: () => string;
  readonly now: () => number;
};

/** What a decision found missing in memory: it is to be read, and the decision made again. */
export class NotInMemory extends Error {
  readonly read: () => Promise<void>;
  constructor(read: () => Promise<void>) {
    super('something that a decision reads is not in memory');
    this.read = read;
  }
}

/** What a decision throws that has made states: these are let go of once what is missing has been read, since that may be behind them. */
export function lettingGo(error: unknown, letGo: () => void): unknown {
  if (!(error instanceof NotInMemory)) {
    letGo();
    return error;
  }
  return new NotInMemory(async () => {
    try {
      await error.read();
    } finally {
      letGo();
    }
  });
}

/** Makes a decision, reading what it misses as often as it misses something. */
export async function withReads<T>(decideNow: () => T): Promise<T> {
  for (;;) {
    try {
      return decideNow();
    } catch (error) {
      if (!(error instanceof NotInMemory)) throw error;
      await error.read();
    }
  }
}

/**
 * Decides one event on top of a head: builds it, judges it and works out the state and the head after it. All of it from
 * memory, and at once, so that no other decision on the room can come between.
 *
 * Throws `MatrixError` if the room's rules refuse the event.
 */
export function decide(context: DecideContext, head: RoomHead, draft: Draft, eventNid: number): Step {
  const { event, stored, authEventNids } = build(context, head, draft, eventNid);
  const step = { event, stored, entries: [], memberships: [], edits: [], chain: undefined };
  if (event.stateKey === undefined) {
    return countStep(context, head, { ...step, head: headAfter(head, event, eventNid, head.state) });
  }
  const edit = editState(context.states, head, event, eventNid);
  const chain = assignChain(context, head.roomNid, { eventNid, authEventNids }, edit);
  const { type, stateKey } = event;
  const before = getKnown(head, type, stateKey);
  const entries = [{ type, stateKey, before, after: { nid: eventNid, event } }];
  const memberships = membershipsOf(head, entries, eventNid, context.signer.serverName);
  return countStep(context, head, {
    ...step,
    stored: {
      ...stored,
      stateAfter: edit.root.rootId,
      replacesNid: before?.nid,
      chain: chain.events[0]?.position,
      powerLevelsNid: getKnown(head, 'm.room.power_levels', '')?.nid,
    },
    entries,
    memberships,
    edits: [edit],
    chain,
    head: {
      ...headAfter(head, event, eventNid, edit.root),
      known: knownAfter(head.known, { nid: eventNid, event }),
      joinedCount: head.joinedCount + countChange(memberships, 'join'),
      invitedCount: head.invitedCount + countChange(memberships, 'invite'),
    },
  });
}

/** A step of the timeline with its unread assessment, and the ordinals that follow from it. */
export function countStep(
  { unread }: Pick<DecideContext, 'unread'>,
  before: RoomHead,
  step: Omit<Step, 'assessment'>,
): Step {
  const { event, head, stored } = step;
  const previous = step.memberships.find(({ userId }) => userId === event.stateKey)?.previous;
  const assessed = unread.assess(countedEvent(before, event, previous), roomFacts(head, event, head.joinedCount));
  const assessment = stored.isRedacted === true ? { ...assessed, ...notCounted } : assessed;
  const ordinal = before.ordinal + (assessment.counts && assessment.thread === undefined ? 1 : 0);
  return {
    ...step,
    assessment,
    stored: { ...stored, ordinal, threadNid: assessment.thread?.threadNid },
    head: { ...head, ordinal },
  };
}

function build(
  context: DecideContext,
  head: RoomHead,
  draft: Draft,
  eventNid: number,
): Pick<Step, 'event' | 'stored'> & { readonly authEventNids: readonly number[] } {
  const { rules } = head;
  const state = (type: string, stateKey: string): RoomEvent | undefined => getKnown(head, type, stateKey)?.event;
  const authEvents = authEventKeys(rules, draft)
    .map(([type, stateKey]) => getKnown(head, type, stateKey))
    .filter((found) => found !== undefined);
  const isCreate = draft.type === 'm.room.create' && head.version === 0;
  const prevEvents = head.extremities.map(({ eventId }) => eventId);
  const authEventIds = authEvents.map(({ event }) => event.eventId);
  const { event, pieces } = buildSendable(
    rules,
    {
      type: draft.type,
      sender: draft.sender,
      roomId: isCreate && rules.event.roomId === 'create-event' ? undefined : head.roomId,
      stateKey: draft.stateKey,
      content: draft.content,
      originServerTs: draft.originServerTs ?? context.now(),
      depth: head.maxDepth + 1,
      prevEvents,
      authEvents: authEventIds,
      redacts: draft.redacts,
      stickyMs: draft.stickyMs,
      ...oldFormat(context, rules, [...prevEvents, ...authEventIds]),
    },
    context.signer,
  );
  if (rules.event.references === 'pairs') context.references.add(rules, event.eventId, pieces);
  const decision = authorise(rules, event, { get: state, create: state('m.room.create', '') });
  if (decision.kind === 'reject') refuseUnauthorised(decision);
  return {
    event,
    authEventNids: authEvents.map(({ nid }) => nid),
    stored: {
      ...unplacedEvent({ eventNid, roomNid: head.roomNid, status: eventStatus.accepted }, event, pieces),
      stateBefore: head.state.rootId,
      ordinal: head.ordinal,
      transaction: draft.transaction,
      sticky: stickinessOf(event, context.now(), true),
    },
  };
}

/** Builds an event; throws a `MatrixError` for what no event can hold. */
export function buildSendable(rules: RoomVersionRules, event: NewEvent, signer: EventSigner): BuiltEvent {
  const built = buildEvent(rules, event, signer);
  if (built.kind === 'ok') return built;
  const isTooLarge = built.rule === 'event.too_large' || built.rule === 'event.field_too_long';
  throw new MatrixError(isTooLarge ? 'request.too-large' : 'request.bad-json', { message: built.reason });
}

/** What only room versions 1 and 2 want. */
function oldFormat(
  { references, randomId, signer }: DecideContext,
  rules: RoomVersionRules,
  named: readonly string[],
): Pick<NewEvent, 'eventId' | 'referenceHashes'> {
  const { eventId, references: format } = rules.event;
  const referenceHashes = format === 'pairs' ? references.findNow(named) : undefined;
  if (format === 'pairs' && referenceHashes === undefined) {
    throw new NotInMemory(() => references.load(rules, named));
  }
  return { eventId: eventId === 'explicit' ? `$${randomId()}:${signer.serverName}` : undefined, referenceHashes };
}

function editState(states: StateStore, head: RoomHead, event: RoomEvent, eventNid: number): StateEdit {
  const edit = states.set(head.state, [{ type: event.type, stateKey: event.stateKey ?? '', event: eventNid }]);
  const done = edit.now();
  if (done !== undefined) return done.value;
  // Reading on the way to an edit that is thrown away leaves in memory what the next try needs.
  throw new NotInMemory(async () => states.settle(await edit.run(), false));
}

function assignChain(
  { chains, states }: DecideContext,
  roomNid: number,
  event: { readonly eventNid: number; readonly authEventNids: readonly number[] },
  edit: StateEdit,
): ChainAssignment {
  const assignment = chains.assignNow(roomNid, [event]);
  if (assignment !== undefined) return assignment;
  states.settle(edit, false);
  throw new NotInMemory(async () => chains.settle(await chains.assign(roomNid, [event]), false));
}

/** The head with one more event, which follows all extremities and leaves the room in `state`. */
function headAfter(head: RoomHead, event: RoomEvent, eventNid: number, state: StateRoot): RoomHead {
  return {
    ...head,
    roomId: event.roomId,
    extremities: [extremityOf(event, state)],
    state,
    differing: 0,
    maxDepth: Math.max(head.maxDepth, event.depth),
    lastEventNid: eventNid,
  };
}

/** What deciding a draft looks up in the state. */
export function keysOf(
  rules: RoomVersionRules,
  draft: Pick<Draft, 'type' | 'stateKey' | 'sender' | 'content'>,
): ReturnType<typeof authEventKeys> {
  const keys = authEventKeys(rules, draft);
  const create: typeof keys = [...keys, ['m.room.create', ''], ['m.room.power_levels', '']];
  return draft.stateKey === undefined ? create : [...create, [draft.type, draft.stateKey] as const];
}

/** Whether somebody else was faster: the decision is to be made again. */
export function isConflict(error: unknown): boolean {
  return error instanceof StorageError && error.guard === 'room.head';
}

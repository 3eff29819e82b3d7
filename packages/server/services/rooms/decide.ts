import {
  authEventKeys,
  authorise,
  buildEvent,
  type EventSigner,
  type RoomEvent,
  type RoomVersionRules,
  serverNameOf,
} from '@portico/protocol';
import type { ChainAssignment, ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateEdit, StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/event-row.ts';
import type { MembershipChange } from '@portico/storage/stores/memberships-write.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { countedEvent, roomFacts } from './counting.ts';
import type { Draft } from './draft.ts';
import { getKnown, type RoomHead, type StateEvent } from './head.ts';
import { knownAfter } from './known-state.ts';
import type { Step } from './steps.ts';

export type DecideContext = {
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly unread: Pick<UnreadService, 'assess'>;
  readonly signer: EventSigner;
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

/**
 * Decides one event on top of a head: builds it, judges it and works out the state and the head after it. All of it from
 * memory, and at once, so that no other decision on the room can come between.
 *
 * Throws `MatrixError` if the room's rules refuse the event.
 */
export function decide(context: DecideContext, head: RoomHead, draft: Draft, eventNid: number): Step {
  const { event, stored, authEventNids } = build(context, head, draft, eventNid);
  if (event.stateKey === undefined) {
    const assessment = context.unread.assess(
      countedEvent(head, event, undefined),
      roomFacts(head, event, head.joinedCount),
    );
    return counted({ event, stored, assessment, head: headAfterMessage(head, event, eventNid) });
  }
  const edit = editState(context.states, head, event, eventNid);
  const chain = assignChain(context, head.roomNid, { eventNid, authEventNids }, edit);
  const replaced = getKnown(head, event.type, event.stateKey);
  const membership = membershipChange(context, head, event, eventNid, replaced);
  const after = headAfterState(head, event, eventNid, edit, membership);
  const assessment = context.unread.assess(
    countedEvent(head, event, membership?.previous),
    roomFacts(after, event, after.joinedCount),
  );
  return counted({
    event,
    stored: {
      ...stored,
      stateAfter: edit.root.rootId,
      replacesNid: replaced?.nid,
      chain: chain.events[0]?.position,
    },
    membership,
    assessment,
    placed: { edit, chain },
    head: after,
  });
}

/** The step with the ordinals that its assessment leads to. */
function counted(step: Step): Step {
  const { assessment, head, stored } = step;
  const ordinal = head.ordinal + (assessment.counts && assessment.thread === undefined ? 1 : 0);
  return {
    ...step,
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
  const built = buildEvent(
    rules,
    {
      type: draft.type,
      sender: draft.sender,
      roomId: isCreate && rules.event.roomId === 'create-event' ? undefined : head.roomId,
      stateKey: draft.stateKey,
      content: draft.content,
      originServerTs: draft.originServerTs ?? context.now(),
      depth: head.maxDepth + 1,
      prevEvents: head.extremities,
      authEvents: authEvents.map(({ event }) => event.eventId),
      redacts: draft.redacts,
    },
    context.signer,
  );
  if (built.kind === 'reject') {
    if (built.rule === 'event.too_large' || built.rule === 'event.field_too_long') {
      throw new MatrixError('request.too-large', { message: built.reason });
    }
    throw new MatrixError('request.bad-json', { message: built.reason });
  }
  const { event, pieces } = built;
  const decision = authorise(rules, event, { get: state, create: state('m.room.create', '') });
  if (decision.kind === 'reject') throw new MatrixError('forbidden', { message: decision.reason });
  return {
    event,
    authEventNids: authEvents.map(({ nid }) => nid),
    stored: {
      eventNid,
      eventId: event.eventId,
      roomNid: head.roomNid,
      status: eventStatus.accepted,
      type: event.type,
      stateKey: event.stateKey,
      sender: event.sender,
      originServerTs: event.originServerTs,
      depth: event.depth,
      ...pieces,
      stateBefore: head.state.rootId,
      stateAfter: undefined,
      replacesNid: undefined,
      threadNid: undefined,
      ordinal: head.ordinal,
      chain: undefined,
      transaction: draft.transaction,
    },
  };
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

function membershipChange(
  { signer }: DecideContext,
  head: RoomHead,
  event: RoomEvent,
  eventNid: number,
  replaced: StateEvent | undefined,
): MembershipChange | undefined {
  const { content, stateKey: userId } = event;
  if (event.type !== 'm.room.member' || userId === undefined || typeof content['membership'] !== 'string') {
    return undefined;
  }
  const previous = replaced?.event.content['membership'];
  const host = serverNameOf(userId) ?? '';
  return {
    roomNid: head.roomNid,
    userId,
    membership: content['membership'],
    previous: typeof previous === 'string' ? previous : 'leave',
    eventNid,
    host,
    isLocal: host === signer.serverName,
  };
}

function headAfterMessage(head: RoomHead, event: RoomEvent, eventNid: number): RoomHead {
  return { ...head, extremities: [event.eventId], maxDepth: event.depth, lastEventNid: eventNid };
}

function headAfterState(
  head: RoomHead,
  event: RoomEvent,
  eventNid: number,
  edit: StateEdit,
  membership: MembershipChange | undefined,
): RoomHead {
  const counted = (kind: string): number =>
    membership === undefined ? 0 : Number(membership.membership === kind) - Number(membership.previous === kind);
  return {
    ...headAfterMessage(head, event, eventNid),
    roomId: event.roomId,
    state: edit.root,
    known: knownAfter(head.known, { nid: eventNid, event }),
    joinedCount: head.joinedCount + counted('join'),
    invitedCount: head.invitedCount + counted('invite'),
  };
}

/** What deciding a draft looks up in the state. */
export function keysOf(rules: RoomVersionRules, draft: Draft): ReturnType<typeof authEventKeys> {
  const keys = authEventKeys(rules, draft);
  const create: typeof keys = [...keys, ['m.room.create', ''], ['m.room.power_levels', '']];
  return draft.stateKey === undefined ? create : [...create, [draft.type, draft.stateKey] as const];
}

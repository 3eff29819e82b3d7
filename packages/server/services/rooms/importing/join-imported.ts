import type { RoomEvent } from '@portico/protocol';
import type { WriteSet } from '@portico/storage';
import type { StateRoot } from '@portico/storage/state-trie/index.ts';
import { leaveAgainIfDeactivated } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { eventStates } from '@portico/storage/stores/events/event-states.ts';
import { type ImportedMember, replaceCurrentState, replaceMembers } from '@portico/storage/stores/rooms/room-import.ts';
import { setCreateEvent } from '@portico/storage/stores/rooms/rooms.ts';
import type { CommitterDependencies, StepCommitter } from '../commit-steps.ts';
import { extremityOf } from '../branches.ts';
import { countStep, type DecideContext } from '../decide.ts';
import type { RoomHead } from '../head.ts';
import { countChange, membershipsOf } from '../memberships-of.ts';
import type { ReceivedEvent } from '../receiving/received-event.ts';
import type { StateEvents } from '../state-events.ts';
import type { Step } from '../steps.ts';
import { writeHead } from '../write-steps.ts';
import { type GivenState, importState, type ImportedState, joinedHosts } from './import-room.ts';
import { makeKnown } from './make-known.ts';

export type JoinImportedDependencies = DecideContext &
  CommitterDependencies & {
    readonly stateEvents: StateEvents;
    readonly committer: StepCommitter;
    /** The number of a room that this server has heard of. */
    readonly findRoomNid: (roomId: string) => Promise<number | undefined>;
  };

export type JoinedRoom = {
  readonly given: GivenState;
  /** The event with which somebody of this server joined, as the room's other servers have it. */
  readonly join: ReceivedEvent;
  /** What is to be committed with it. */
  readonly alongside?: (set: WriteSet) => void;
  readonly progress?: (stored: number, all: number) => void;
};

/**
 * Makes a room that somebody of this server joined through another server one of this server's: stores its state, and the
 * join as the first event of its timeline here.
 */
export async function joinImported(deps: JoinImportedDependencies, joined: JoinedRoom): Promise<number> {
  const { heads, committer } = deps;
  const { given, join, alongside, progress } = joined;
  const roomNid = await makeKnown(deps, given.roomId, given.rules);
  const imported = await importState(deps, roomNid, given, progress);
  const current = heads.current(roomNid) ?? (await heads.load(roomNid));
  if (current === undefined) throw new Error(`The room ${given.roomId} has been made known and is not`);
  const before = headBefore(given, imported, roomNid, current, join.event);
  const step = await joinStep(deps, before, imported.root, join);
  await committer.commit({
    steps: [step],
    before,
    moveHead(set, after, position) {
      const head = { ...after, createEventNid: imported.createEventNid };
      writeHead(set, head, current, position);
      setCreateEvent(set, roomNid, { eventNid: imported.createEventNid, roomVersion: given.rules.version });
      replaceCurrentState(set, roomNid, entriesOf(imported));
      const members = membersOf(imported, deps.signer.serverName);
      replaceMembers(set, roomNid, members, joinedHosts(imported.entries), position);
      leaveAgainIfDeactivated(set, join.event.sender);
      alongside?.(set);
    },
  });
  return roomNid;
}

function headBefore(
  { roomId, rules }: GivenState,
  imported: ImportedState,
  roomNid: number,
  current: RoomHead,
  join: RoomEvent,
): RoomHead {
  const count = (membership: string): number =>
    imported.entries.filter(({ event }) => event.type === 'm.room.member' && event.content['membership'] === membership)
      .length;
  return {
    roomNid,
    roomId,
    rules,
    createEventNid: imported.createEventNid,
    version: current.version,
    lineage: current.lineage,
    extremities: [],
    differing: 0,
    state: imported.root,
    maxDepth: Math.max(join.depth - 1, 0),
    lastEventNid: 0,
    ordinal: current.ordinal,
    joinedCount: count('join'),
    invitedCount: count('invite'),
    isActivity: false,
    known: new Map(),
  };
}

async function joinStep(
  deps: JoinImportedDependencies,
  before: RoomHead,
  root: StateRoot,
  { event, pieces }: ReceivedEvent,
): Promise<Step> {
  const { roomNid, roomId } = before;
  const { type, stateKey = '', sender, content } = event;
  for (;;) {
    const read = deps.unread.missing({ roomNid, roomId, type, stateKey, sender, content });
    if (read === undefined) break;
    await read();
  }
  const [authEvents, [member], eventNid, previousEvents] = await Promise.all([
    deps.stateEvents.loadById(before.rules, event.authEvents),
    deps.states.getMany(root, [[type, stateKey]]).run(),
    deps.db.reserveIds('event', 1),
    eventStates(deps.db, event.prevEvents),
  ]);
  const isHere = new Set(
    previousEvents.filter((row) => row.status === eventStatus.accepted).map((row) => row.event_id),
  );
  const missingBefore = event.prevEvents.filter((eventId) => !isHere.has(eventId));
  const previous = member === undefined ? undefined : (await deps.stateEvents.load(before.rules, [member])).get(member);
  const authEventNids = [...authEvents.values()].map(({ nid }) => nid);
  const chain = await deps.chains.assign(roomNid, [{ eventNid, authEventNids }]);
  const edit = await deps.states.set(root, [{ type, stateKey, event: eventNid }]).run();
  const entries = [{ type, stateKey, before: previous, after: { nid: eventNid, event } }];
  const memberships = membershipsOf(before, entries, eventNid, deps.signer.serverName);
  return countStep(deps, before, {
    event,
    stored: {
      eventNid,
      eventId: event.eventId,
      roomNid,
      status: eventStatus.accepted,
      type,
      stateKey,
      sender,
      originServerTs: event.originServerTs,
      depth: event.depth,
      ...pieces,
      stateBefore: root.rootId,
      stateAfter: edit.root.rootId,
      headState: undefined,
      replacesNid: member,
      threadNid: undefined,
      ordinal: before.ordinal,
      chain: chain.events[0]?.position,
      powerLevelsNid: [...authEvents.values()].find((each) => each.event.type === 'm.room.power_levels')?.nid,
      transaction: undefined,
      ...(missingBefore.length > 0 && { missingBefore }),
    },
    entries,
    memberships,
    edits: [edit],
    chain,
    head: {
      ...before,
      extremities: [extremityOf(event, edit.root)],
      state: edit.root,
      maxDepth: event.depth,
      lastEventNid: eventNid,
      joinedCount: before.joinedCount + countChange(memberships, 'join'),
      invitedCount: before.invitedCount + countChange(memberships, 'invite'),
    },
  });
}

function entriesOf({ entries }: ImportedState) {
  return entries.map(({ event, eventNid }) => [event.type, event.stateKey ?? '', eventNid] as const);
}

function membersOf({ entries }: ImportedState, serverName: string): ImportedMember[] {
  return entries.flatMap(({ event, eventNid }): ImportedMember[] => {
    const { type, stateKey: userId = '', content } = event;
    const membership = content['membership'];
    if (type !== 'm.room.member' || typeof membership !== 'string') return [];
    return [[userId, membership, eventNid, userId.endsWith(`:${serverName}`) ? 1 : 0]];
  });
}

import { serverNameOf, type RoomVersionRules } from '@portico/protocol';
import { readHostsBefore } from '@portico/storage/stores/federation/federation-rooms.ts';
import { readFirstMembers } from '@portico/storage/stores/rooms/memberships-read.ts';
import { statePieces, type StateReading } from './state-before.ts';

type Dependencies = StateReading & { readonly serverName: string };

/** A join that has become part of its room. */
export type AcceptedJoin = {
  readonly roomNid: number;
  readonly rules: RoomVersionRules;
  readonly eventId: string;
  readonly pdu: string;
  readonly userId: string;
  /** The root of the state before it. */
  readonly root: number;
};

const heroCount = 5;

/**
 * The answer to a join, as JSON in pieces. With `omitMembers` only as many members as the room is named after.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid}
 */
export async function* answerJoin(
  deps: Dependencies,
  join: AcceptedJoin,
  omitMembers: boolean,
): AsyncGenerator<string> {
  const { rules, root, eventId } = join;
  const wanted = omitMembers ? { members: await readHeroes(deps, join) } : undefined;
  const fields = [
    `"event":${join.pdu}`,
    `"members_omitted":${omitMembers}`,
    `"origin":${JSON.stringify(deps.serverName)}`,
  ];
  if (omitMembers) fields.push(`"servers_in_room":${JSON.stringify(await readServers(deps, join))}`);
  yield `{${fields.join(',')},`;
  yield* statePieces(deps, rules, root, { name: 'state', wanted, and: [eventId] });
  yield '}';
}

/** "If the room to be joined has no `m.room.name` nor `m.room.canonical_alias` events in its current state" */
async function readHeroes({ db, states }: Dependencies, { roomNid, root, userId }: AcceptedJoin): Promise<string[]> {
  const names = [
    ['m.room.name', ''],
    ['m.room.canonical_alias', ''],
  ] as const;
  const named = await states.getMany(await states.root(root).run(), names).run();
  if (named.some((nid) => nid !== undefined)) return [];
  const members = await readFirstMembers(db, [roomNid], ['join', 'invite'], heroCount + 1);
  const others = members.map((row) => row.user_id).filter((each) => each !== userId);
  return others.slice(0, heroCount);
}

/** "The servers active in the room (ie, those with joined members) before the join." */
function readServers({ db }: Dependencies, { roomNid, userId }: AcceptedJoin): Promise<string[]> {
  return readHostsBefore(db, roomNid, serverNameOf(userId) ?? '');
}

import { compileServerAcl, isJsonObject, parseJson, type ServerAcl } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { type EduMemberRow, readAclContents, readEduMembers } from '@portico/storage/stores/federation/edu-rooms.ts';
import { createSmallCache } from '../../reading/small-cache.ts';

/** Somebody joined to a room that this server is in, too, and whose ACLs allow the server that speaks of them. */
export type EduMember = Pick<EduMemberRow, 'room_id' | 'user_id' | 'room_nid'>;

/**
 * Those people whom a server may speak of in these rooms. The users must be its own.
 *
 * "typing notifications and read receipts" of servers that a room denies are ignored:
 * {@link https://spec.matrix.org/v1.19/server-server-api/#server-access-control-lists-acls}
 */
export type FindEduMembers = (
  origin: string,
  pairs: readonly (readonly [roomId: string, userId: string])[],
) => Promise<readonly EduMember[]>;

const maxAcls = 1000;

export function createFindEduMembers(db: Reader, serverName: string): FindEduMembers {
  // By the event, whose content stays the same: a redacted one is no longer part of the state.
  const compiled = createSmallCache<number, ServerAcl>(maxAcls);

  async function load(eventNids: readonly number[]): Promise<void> {
    const missing = [...new Set(eventNids)].filter((eventNid) => compiled.get(eventNid) === undefined);
    if (missing.length === 0) return;
    for (const { event_nid: eventNid, content } of await readAclContents(db, missing)) {
      const parsed = parseJson(content, 'lenient');
      compiled.set(eventNid, compileServerAcl(isJsonObject(parsed) ? parsed : {}));
    }
  }

  return async (origin, pairs) => {
    if (pairs.length === 0) return [];
    const members = await readEduMembers(db, serverName, pairs);
    await load(members.flatMap(({ acl_nid: aclNid }) => (aclNid === null ? [] : [aclNid])));
    return members.filter(({ acl_nid: aclNid }) => aclNid === null || compiled.get(aclNid)?.(origin).kind === 'allow');
  };
}

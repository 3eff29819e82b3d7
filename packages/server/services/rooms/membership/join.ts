import type { JsonObject } from '@portico/protocol';
import type { Plan, RoomView } from '../room-writer.ts';
import { changeMembership, membershipOf, withReason } from './change-membership.ts';
import { isRestricted } from './restricted-join.ts';

export type JoinContent = {
  /** `displayname` and `avatar_url`. */
  readonly profile: JsonObject;
  readonly reason: string | undefined;
  /** What else the client wants in the event. */
  readonly extra?: JsonObject;
  /** Who of the room lets people in that a restricted room's conditions admit. */
  readonly authoriser?: string | undefined;
  /** Is shown the content of the room's create event. */
  readonly seeCreate?: (content: JsonObject | undefined) => void;
};

/** What only the server says in a member event. */
const reserved: ReadonlySet<string> = new Set([
  'membership',
  'join_authorised_via_users_server',
  'third_party_invite',
  'third_party_signed',
]);

/** What a join says, without who lets the person in. */
export function joinContent({ profile, reason, extra = {} }: JoinContent): JsonObject {
  const given = Object.fromEntries(Object.entries(extra).filter(([key]) => !reserved.has(key)));
  return withReason({ ...profile, ...given, membership: 'join' }, reason);
}

/** Joins a person; nothing happens if they are in the room already. */
export function planJoin(userId: string, join: JoinContent): Plan {
  const { authoriser, seeCreate } = join;
  const plan = changeMembership({
    sender: userId,
    userId,
    content(current, view) {
      seeCreate?.(view.state('m.room.create', '')?.event.content);
      const membership = membershipOf(current);
      if (membership === 'join') return undefined;
      const content = joinContent(join);
      if (authoriser === undefined || membership === 'invite' || !joinsAreRestricted(view)) return content;
      return { ...content, join_authorised_via_users_server: authoriser };
    },
  });
  return { ...plan, needs: [...plan.needs, ['m.room.create', ''], ['m.room.join_rules', '']] };
}

function joinsAreRestricted({ head, state }: RoomView): boolean {
  return isRestricted(head.rules, state('m.room.join_rules', '')?.event.content);
}

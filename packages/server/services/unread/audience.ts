import { isJsonObject, parseJson } from '@portico/protocol';
import type { CompiledRules } from '@portico/protocol/push/compile-rules.ts';
import type { CustomMemberRow } from '@portico/storage/stores/unread/custom-rules.ts';
import { readUserRules, type RoomRules, roomRules } from './member-rules.ts';
import type { UnreadMode } from './mode.ts';

/** People of a room whose rules count every event alike, unless it names one of them. */
export type RuleGroup = {
  readonly rules: CompiledRules;
  readonly mode: UnreadMode;
  /** Of the one person in the group, if their rules look for it. */
  readonly displayName: string | undefined;
  readonly usesSubscriptions: boolean;
  readonly userIds: readonly string[];
  /** Those of them who have pushers: all or none. */
  readonly pushed: readonly string[];
};

/** Those members of a room for whom an event may count otherwise than for everyone. */
export type RoomAudience = {
  readonly groups: readonly RuleGroup[];
  readonly groupOf: ReadonlyMap<string, RuleGroup>;
  /** Who ignores whom, by the ignored. */
  readonly ignoredBy: ReadonlyMap<string, readonly string[]>;
  /** Who has pushers. */
  readonly pushed: ReadonlySet<string>;
  /** Those of them whose rules are the default ones. */
  readonly pushedByDefault: readonly string[];
  /** Whether it matters to anybody who has subscribed to a thread. */
  readonly usesSubscriptions: boolean;
};

export const emptyAudience: RoomAudience = Object.freeze({
  groups: [],
  groupOf: new Map<string, RuleGroup>(),
  ignoredBy: new Map<string, readonly string[]>(),
  pushed: new Set<string>(),
  pushedByDefault: [],
  usesSubscriptions: false,
});

export function buildAudience(roomId: string, members: readonly CustomMemberRow[]): RoomAudience {
  if (members.length === 0) return emptyAudience;
  const groups = new Map<string, RuleGroup & { readonly userIds: string[] }>();
  const pushed = new Set<string>();
  const pushedByDefault: string[] = [];
  const known = new Map<string, RoomRules>();
  const groupOf = new Map<string, RuleGroup>();
  const ignoredBy = new Map<string, string[]>();
  for (const row of members) {
    const { user_id: userId, member_content: member } = row;
    const user = readUserRules(row, userId);
    if (user.isPushed) pushed.add(userId);
    for (const other of user.ignored) {
      const ignoring = ignoredBy.get(other);
      if (ignoring === undefined) ignoredBy.set(other, [userId]);
      else ignoring.push(userId);
    }
    const { key, isDefault, rules, mode, usesDisplayName, usesSubscriptions } = roomRules(user, roomId, known);
    if (isDefault) {
      if (user.isPushed) pushedByDefault.push(userId);
      continue;
    }
    const displayName = usesDisplayName ? displayNameIn(member) : undefined;
    const name = JSON.stringify([key, displayName ?? null]);
    let group = groups.get(name);
    if (group === undefined) {
      const userIds: string[] = [];
      groups.set(
        name,
        (group = { rules, mode, displayName, usesSubscriptions, userIds, pushed: user.isPushed ? userIds : [] }),
      );
    }
    group.userIds.push(userId);
    groupOf.set(userId, group);
  }
  const found = [...groups.values()];
  const usesSubscriptions = found.some((group) => group.usesSubscriptions);
  return { groups: found, groupOf, ignoredBy, pushed, pushedByDefault, usesSubscriptions };
}

function displayNameIn(memberContent: string | null): string | undefined {
  const content = memberContent === null ? undefined : parseJson(memberContent);
  const name = isJsonObject(content) ? content['displayname'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

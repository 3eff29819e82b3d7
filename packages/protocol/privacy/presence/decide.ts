import type { RecipientMatch } from './match-recipient.ts';
import type { PresencePolicy } from './policy.ts';

/** Every reason for which somebody may, or may not, see a person's presence. */
export const presenceRules = {
  self: 'It is their own.',
  'override.denied_user': 'The server denies it to them.',
  'config.malformed': 'What the person has set cannot be understood, so it is shared with nobody.',
  allowed_user: 'They are allowed by name or pattern.',
  ignored: 'The person ignores them.',
  denied_user: 'They are denied by name or pattern.',
  allowed_room: 'They are in a room whose members are allowed.',
  shared_room: 'They share a room with the person.',
  denied_rooms: 'Every room that they share with the person is denied.',
  no_shared_room: 'They share no room with the person, and are not allowed by name or pattern.',
} as const;
export type PresenceRule = keyof typeof presenceRules;

export type PresenceDecision = {
  readonly allowed: boolean;
  readonly rule: PresenceRule;
  /** The entry or the room that decided, where one did. */
  readonly by?: string;
};

/** What is the case between a person and somebody who may get their presence. */
export type PresenceFacts = {
  readonly isSelf: boolean;
  /** Whether the person ignores them. */
  readonly isIgnored: boolean;
  /** Rooms to which both are joined. */
  readonly sharedRooms: Iterable<string>;
};

/**
 * Whether somebody gets a person's presence. The person sees their own; otherwise the proposal's algorithm, first match
 * first, behind the server's overrides:
 *
 * > 1. Send presence to all users matching a user ID explicitly listed, or matching a glob in, `allowed_users`
 * > 2. Send presence to all users in a room with a room ID listed in `allowed_users` in membership state `join` […] unless
 * > the user is ignored, the receiving user is listed in `denied_users` explicitly or by matching a glob
 * > 3. Send presence to all users the user shares a room with, unless the user is ignored, the receiving user is listed in
 * > `denied_users` explicitly or by matching a glob, the room's ID is listed under `denied_users`
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/blob/9132b6900/proposals/4325-presence-privacy.md}
 */
export function decidePresence(policy: PresencePolicy, match: RecipientMatch, facts: PresenceFacts): PresenceDecision {
  if (facts.isSelf) return { allowed: true, rule: 'self' };
  const { own, overrides } = policy;
  if (match.barred !== undefined && match.exempt === undefined && !isIn(facts.sharedRooms, overrides.allowed.rooms)) {
    return { allowed: false, rule: 'override.denied_user', by: match.barred };
  }
  if (own.kind === 'malformed') return { allowed: false, rule: 'config.malformed' };
  if (match.allowed !== undefined) return { allowed: true, rule: 'allowed_user', by: match.allowed };
  if (facts.isIgnored) return { allowed: false, rule: 'ignored' };
  if (match.denied !== undefined) return { allowed: false, rule: 'denied_user', by: match.denied };
  return decideByRooms(policy, own.allowed.rooms, own.denied.rooms, facts.sharedRooms);
}

function decideByRooms(
  { overrides }: PresencePolicy,
  allowed: ReadonlySet<string>,
  denied: ReadonlySet<string>,
  sharedRooms: Iterable<string>,
): PresenceDecision {
  let shared: string | undefined;
  let anyDenied: string | undefined;
  for (const room of sharedRooms) {
    if (overrides.denied.rooms.has(room)) anyDenied ??= room;
    else if (allowed.has(room)) return { allowed: true, rule: 'allowed_room', by: room };
    else if (denied.has(room)) anyDenied ??= room;
    else {
      shared ??= room;
      if (allowed.size === 0) break;
    }
  }
  if (shared !== undefined) return { allowed: true, rule: 'shared_room', by: shared };
  if (anyDenied !== undefined) return { allowed: false, rule: 'denied_rooms', by: anyDenied };
  return { allowed: false, rule: 'no_shared_room' };
}

function isIn(rooms: Iterable<string>, list: ReadonlySet<string>): boolean {
  if (list.size === 0) return false;
  for (const room of rooms) if (list.has(room)) return true;
  return false;
}

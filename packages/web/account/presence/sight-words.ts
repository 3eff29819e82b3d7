import type { JsonObject } from '@portico/protocol/json/value.ts';
import { type PresenceRule, presenceRules } from '@portico/protocol/privacy/presence/decide.ts';
import { describePeople } from '../lists/person-pattern.ts';
import { textOf } from '../server/json.ts';
import { isEveryone } from './sharing.ts';

/** Whether somebody may see the person, and which rule says so. */
export type Sight = {
  readonly userId: string;
  readonly isAllowed: boolean;
  readonly rule: string;
  readonly by: string | undefined;
};

export function readSight(value: JsonObject): Sight {
  return {
    userId: textOf(value['user_id']) ?? '',
    isAllowed: value['allowed'] === true,
    rule: textOf(value['rule']) ?? '',
    by: textOf(value['by']),
  };
}

type NameOf = (roomId: string) => string;

const words: Readonly<Record<PresenceRule, (by: string, nameOf: NameOf) => string>> = {
  self: () => 'This is you.',
  'override.denied_user': () => 'The server does not let this person see when its people are online.',
  'config.malformed': () => 'Your settings cannot be understood, so nobody sees you.',
  allowed_user: (by) => `You always let ${describePeople(by)} see you.`,
  ignored: () => 'You ignore this person.',
  denied_user: (by) =>
    isEveryone(by) ? 'You let nobody see you but the people you name.' : `You never let ${describePeople(by)} see you.`,
  allowed_room: (by, nameOf) => `You let everyone in ${nameOf(by)} see you.`,
  shared_room: (by, nameOf) => `You are both in ${nameOf(by)}.`,
  denied_rooms: (by, nameOf) => `You are together only in rooms that do not count, such as ${nameOf(by)}.`,
  no_shared_room: () => 'You are in no room together.',
};

/** Why it is so, to the person whose presence it is. */
export function explainSight({ rule, by = '' }: Sight, nameOf: NameOf): string {
  return Object.hasOwn(presenceRules, rule)
    ? words[rule as PresenceRule](by, nameOf)
    : 'The server has a reason of its own.';
}

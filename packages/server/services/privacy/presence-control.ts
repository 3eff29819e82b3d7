import { compareCodePoints, isUserId } from '@portico/protocol';
import { type PresenceDecision, type PresenceRule, presenceRules } from '@portico/protocol/privacy/presence/decide.ts';
import { isEmptyList, type SharingList } from '@portico/protocol/privacy/presence/sharing-list.ts';
import type { Database } from '@portico/storage';
import { readEveryoneIn } from '@portico/storage/stores/presence/presence-audience.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { inSteps } from '../in-steps.ts';
import { createPacer } from '../pacer.ts';
import type { PeopleRooms } from '../presence/people-rooms.ts';
import type { CompiledPolicy, Policies } from '../presence/policies.ts';
import type { Sight } from '../presence/sight.ts';

/** Whether somebody may see a person's presence, and which rule says so. */
export type PresenceSight = {
  readonly user_id: string;
  readonly allowed: boolean;
  readonly rule: PresenceRule;
  /** The same in words. */
  readonly reason: string;
  /** The entry or the room that decided, where one did. */
  readonly by?: string;
};

export type PresenceSights = {
  /** What is in force: what the person has set, the server's default, or nothing. */
  readonly source: CompiledPolicy['policy']['source'];
  /** Whether that cannot be understood, so that nobody sees anything. */
  readonly malformed: boolean;
  /** Whether the server denies some people what somebody may allow them. */
  readonly overridden: boolean;
  /** Patterns by which anybody whom they match is allowed, also without a shared room: the first of them. */
  readonly patterns: readonly string[];
  readonly patterns_total: number;
  readonly users: readonly PresenceSight[];
  readonly next_batch?: string;
};

type Page = { readonly from: string | undefined; readonly limit: number | undefined };

/** With which people see who may see them. */
export interface PresenceControl {
  /** Everyone who shares a room with the person or is named by their settings, in the order of their IDs. */
  list(userId: string, page: Page): Promise<PresenceSights>;
  decide(userId: string, recipient: string): Promise<PresenceSight>;
}

type Dependencies = {
  readonly db: Database;
  readonly policies: Policies;
  readonly rooms: PeopleRooms;
  readonly sight: Pick<Sight, 'decide'>;
};

const defaultLimit = 50;
const maxLimit = 200;
const maxPatterns = 100;
const usersPerStep = 500;

export function createPresenceControl({ db, policies, rooms, sight }: Dependencies): PresenceControl {
  const explain = async (userId: string, recipient: string) =>
    toSight(recipient, await sight.decide(userId, recipient));

  return {
    async decide(userId, recipient) {
      if (!isUserId(recipient)) {
        throw new MatrixError('request.invalid-param', { message: 'user_id is not a user ID.' });
      }
      return explain(userId, recipient);
    },
    async list(userId, { from = '', limit = defaultLimit }) {
      const wanted = Math.min(Math.max(limit, 1), maxLimit);
      const { policy } = await policies.load(userId);
      const { own, overrides } = policy;
      await rooms.load([userId]);
      const nids = [...(rooms.known(userId)?.keys() ?? [])];
      const members = nids.length === 0 ? [] : await readEveryoneIn(db, nids, from, wanted + 2);
      const lists = own.kind === 'lists' ? [own.allowed, own.denied] : [];
      const named = await inSteps(firstAfter(lists, from, wanted + 2));
      const everyone = [...new Set([...members, ...named])].filter((other) => other !== userId).sort(compareCodePoints);
      const shown = everyone.slice(0, wanted);
      const users: PresenceSight[] = [];
      const pace = createPacer();
      for (const recipient of shown) {
        users.push(await explain(userId, recipient));
        await pace();
      }
      const patterns = own.kind === 'lists' ? own.allowed.globs.all : [];
      const last = shown.at(-1);
      return {
        source: policy.source,
        malformed: own.kind === 'malformed',
        overridden: !isEmptyList(overrides.denied),
        patterns: patterns.slice(0, maxPatterns),
        patterns_total: patterns.length,
        users,
        ...(last !== undefined && everyone.length > wanted && { next_batch: last }),
      };
    },
  };
}

/** Where presence is turned off, nobody sees anybody. */
export const noPresenceControl: PresenceControl = {
  list: () => Promise.reject(new MatrixError('presence.disabled')),
  decide: () => Promise.reject(new MatrixError('presence.disabled')),
};

function toSight(recipient: string, { allowed, rule, by }: PresenceDecision): PresenceSight {
  return { user_id: recipient, allowed, rule, reason: presenceRules[rule], ...(by !== undefined && { by }) };
}

/** The first people after one, of those whom lists name: these may be tens of thousands. */
function* firstAfter(
  lists: readonly SharingList[],
  from: string,
  limit: number,
): Generator<void, readonly string[], void> {
  const first: string[] = [];
  let done = 0;
  for (const { users } of lists) {
    for (const user of users) {
      if (++done % usersPerStep === 0) yield;
      const last = first[limit - 1];
      if (compareCodePoints(user, from) <= 0 || (last !== undefined && compareCodePoints(user, last) >= 0)) continue;
      let place = first.length;
      while (place > 0 && compareCodePoints(user, first[place - 1] ?? '') < 0) place -= 1;
      if (place > 0 && first[place - 1] === user) continue;
      first.splice(place, 0, user);
      first.length = Math.min(first.length, limit);
    }
  }
  return first;
}

import { compareCodePoints, isUserId, type JsonObject } from '@portico/protocol';
import { type PresenceDecision, type PresenceRule, presenceRules } from '@portico/protocol/privacy/presence/decide.ts';
import { isEmptyList, type SharingList } from '@portico/protocol/privacy/presence/sharing-list.ts';
import type { PresenceSharing } from '@portico/protocol/privacy/presence/sharing.ts';
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

/** Somebody for whom something would change. */
export type PresenceChange = { readonly before: PresenceSight; readonly after: PresenceSight };

export type PresenceChanges = {
  /** Whether what would be set cannot be understood, so that nobody would see anything. */
  readonly malformed: boolean;
  /** Those of the page's people who would lose sight of the person, or get it. */
  readonly changes: readonly PresenceChange[];
  /** How many people were looked at. */
  readonly examined: number;
  readonly next_batch?: string;
};

/** With which people see who may see them. */
export interface PresenceControl {
  /** Everyone who shares a room with the person or is named by their settings, in the order of their IDs. */
  list(userId: string, page: Page): Promise<PresenceSights>;
  decide(userId: string, recipient: string): Promise<PresenceSight>;
  /** What would change if a person set this: of everyone who shares a room with them, or is named now or would be. */
  preview(userId: string, content: JsonObject, page: Page): Promise<PresenceChanges>;
}

type Dependencies = {
  readonly db: Database;
  readonly policies: Policies;
  readonly rooms: PeopleRooms;
  readonly sight: Pick<Sight, 'decide' | 'decideBy'>;
};

const defaultLimit = 50;
const maxLimit = 200;
const maxPatterns = 100;
const usersPerStep = 500;

export function createPresenceControl({ db, policies, rooms, sight }: Dependencies): PresenceControl {
  const explain = async (userId: string, recipient: string) =>
    toSight(recipient, await sight.decide(userId, recipient));

  /** Everyone who shares a room with a person or is named by what they set, a page of them. */
  async function peopleAround(
    userId: string,
    settings: readonly PresenceSharing[],
    { from = '', limit = defaultLimit }: Page,
  ): Promise<{ readonly people: readonly string[]; readonly next: { readonly next_batch?: string } }> {
    const wanted = Math.min(Math.max(limit, 1), maxLimit);
    await rooms.load([userId]);
    const nids = [...(rooms.known(userId)?.keys() ?? [])];
    const members = nids.length === 0 ? [] : await readEveryoneIn(db, nids, from, wanted + 2);
    const lists = settings.flatMap((own) => (own.kind === 'lists' ? [own.allowed, own.denied] : []));
    const named = await inSteps(firstAfter(lists, from, wanted + 2));
    const everyone = [...new Set([...members, ...named])].filter((other) => other !== userId).sort(compareCodePoints);
    const people = everyone.slice(0, wanted);
    const last = people.at(-1);
    return { people, next: last !== undefined && everyone.length > wanted ? { next_batch: last } : {} };
  }

  return {
    async decide(userId, recipient) {
      if (!isUserId(recipient)) {
        throw new MatrixError('request.invalid-param', { message: 'user_id is not a user ID.' });
      }
      return explain(userId, recipient);
    },
    async list(userId, page) {
      const { policy } = await policies.load(userId);
      const { own, overrides } = policy;
      const { people, next } = await peopleAround(userId, [own], page);
      const users: PresenceSight[] = [];
      const pace = createPacer();
      for (const recipient of people) {
        users.push(await explain(userId, recipient));
        await pace();
      }
      const patterns = own.kind === 'lists' ? own.allowed.globs.all : [];
      return {
        source: policy.source,
        malformed: own.kind === 'malformed',
        overridden: !isEmptyList(overrides.denied),
        patterns: patterns.slice(0, maxPatterns),
        patterns_total: patterns.length,
        users,
        ...next,
      };
    },
    async preview(userId, content, page) {
      const [{ policy }, draft] = [await policies.load(userId), await policies.draft(userId, content)];
      const { people, next } = await peopleAround(userId, [policy.own, draft.policy.own], page);
      const changes: PresenceChange[] = [];
      const pace = createPacer();
      for (const recipient of people) {
        const before = await explain(userId, recipient);
        const after = toSight(recipient, await sight.decideBy(draft, userId, recipient));
        if (before.allowed !== after.allowed) changes.push({ before, after });
        await pace();
      }
      return { malformed: draft.policy.own.kind === 'malformed', changes, examined: people.length, ...next };
    },
  };
}

/** Where presence is turned off, nobody sees anybody. */
export const noPresenceControl: PresenceControl = {
  list: () => Promise.reject(new MatrixError('presence.disabled')),
  decide: () => Promise.reject(new MatrixError('presence.disabled')),
  preview: () => Promise.reject(new MatrixError('presence.disabled')),
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

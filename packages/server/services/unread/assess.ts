import { isJsonObject, type JsonObject } from '@portico/protocol';
import type { Outcome } from '@portico/protocol/push/outcome.ts';
import type { PushAction } from '@portico/protocol/push/rule.ts';
import { compiledDefaultRules, evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import type { PushSubject } from '@portico/protocol/push/push-event.ts';
import type { RoomAudience, RuleGroup } from './audience.ts';
import { impliedWeight, nothing, plain, type Weight, weightOf } from './mode.ts';

/** What counting an event looks at. Known to whoever decides the event, before it is committed. */
export type CountedEvent = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
  /** Of a membership event: the membership that it replaces, `leave` for none. */
  readonly previousMembership: string | undefined;
};

/** Where in a thread an event belongs. */
export type ThreadPlace = {
  readonly threadNid: number;
  /** Whether it is a message of the thread; a reaction to one, for instance, is not. */
  readonly isReply: boolean;
};

/** What push rules ask about the room. Functions, because hardly any event needs them. */
export type RoomFacts = {
  /** Joined members, the event's own effect included. */
  memberCount(): number;
  /** Whether the sender's power level suffices for `notifications[key]` of the power levels; 50 where that is missing. */
  mayNotify(key: string): boolean;
};

/** Those who have subscribed to the thread that an event is in; `undefined` for events in none, or where it matters to nobody. */
export type Subscribers = ReadonlySet<string> | undefined;

/** What is kept of an event for people for whom it counts otherwise than the ordinals say. */
export type UnreadException = {
  /** `['']` for "everyone who has no row of their own". */
  readonly userIds: readonly string[];
  /** Whether only those of `userIds` count who are joined members of this server: not known in memory. */
  readonly onlyMembers: boolean;
  readonly notify: 0 | 1;
  readonly highlight: 0 | 1;
  /** What it is for everyone without a row of their own. */
  readonly baseNotify: 0 | 1;
  readonly baseHighlight: 0 | 1;
};

/** Who is to be told of an event on their devices, and how. */
export type EventPush = { readonly userIds: readonly string[]; readonly actions: readonly PushAction[] };

/** How an event is counted. */
export type Counting = {
  /** Whether the ordinal of its thread, or of the room outside threads, goes up by one. */
  readonly counts: boolean;
  readonly exceptions: readonly UnreadException[];
  readonly pushes: readonly EventPush[];
};

const notCounted: Counting = Object.freeze({ counts: false, exceptions: [], pushes: [] });
const counted: Counting = Object.freeze({ counts: true, exceptions: [], pushes: [] });

/**
 * Counts an event: once by the default rules, once for each set of rules that some members share, and once for each member
 * with rules of their own whom it mentions. Never for each member.
 */
export function countEvent(
  event: CountedEvent,
  facts: RoomFacts,
  audience: RoomAudience,
  isLocal: (userId: string) => boolean,
  subscribers?: Subscribers,
): Counting {
  const subject: PushSubject = {
    type: event.type,
    sender: event.sender,
    roomId: event.roomId,
    stateKey: event.stateKey,
    content: event.content,
  };
  const everyone = {
    userId: undefined,
    displayName: undefined,
    memberCount: () => facts.memberCount(),
    mayNotify: (key: string) => facts.mayNotify(key),
  };
  const baseOutcome = evaluatePush(compiledDefaultRules, subject, everyone);
  const base = weightOf(baseOutcome);
  const mentioned = mentionedUsers(event.content).filter((userId) => userId !== event.sender && isLocal(userId));
  if (mentioned.length === 0 && audience.groups.length === 0 && audience.ignoredBy.size === 0) {
    if (base === nothing) return notCounted;
    if (base === plain && audience.pushed.size === 0) return counted;
  }

  const exceptions: UnreadException[] = [];
  const pushes: EventPush[] = [];
  const push = (userIds: readonly string[], outcome: Outcome | undefined): void => {
    if (userIds.length > 0 && outcome?.notify === true) pushes.push({ userIds, actions: outcome.actions });
  };
  const except = (userIds: readonly string[], weight: Weight, implied: Weight, onlyMembers = false): void => {
    if (userIds.length === 0 || weight === implied) return;
    exceptions.push({
      userIds,
      onlyMembers,
      ...weight,
      baseNotify: base.notify,
      baseHighlight: base.highlight,
    });
  };

  const ignoring = audience.ignoredBy.get(event.sender) ?? [];
  for (const userId of ignoring) {
    except([userId], nothing, impliedWeight(audience.groupOf.get(userId)?.mode ?? 'all', base));
  }

  const decided = new Set([event.sender, ...ignoring]);
  const withDefaults: string[] = [];
  for (const userId of mentioned) {
    if (decided.has(userId)) continue;
    decided.add(userId);
    const group = audience.groupOf.get(userId);
    if (group === undefined) {
      withDefaults.push(userId);
      continue;
    }
    const { rules, displayName } = group;
    const outcome = evaluatePush(rules, subject, {
      ...everyone,
      userId,
      displayName,
      hasSubscribed: subscribers?.has(userId),
    });
    except([userId], weightOf(outcome), impliedWeight(group.mode, base));
    if (audience.pushed.has(userId)) push([userId], outcome);
  }
  if (withDefaults.length > 0) {
    // The default rules know no difference between the people that an event mentions.
    const outcome = evaluatePush(compiledDefaultRules, subject, { ...everyone, userId: withDefaults[0] });
    except(withDefaults, weightOf(outcome), base, true);
    push(
      withDefaults.filter((userId) => audience.pushed.has(userId)),
      outcome,
    );
  }

  const isOpen = (userId: string): boolean => !decided.has(userId);
  for (const { rules, mode, displayName, hasSubscribed, userIds, pushed } of partsOf(audience.groups, subscribers)) {
    const outcome = evaluatePush(rules, subject, { ...everyone, displayName, hasSubscribed });
    if (outcome?.notify === true && pushed.length > 0) push(pushed.filter(isOpen), outcome);
    const weight = weightOf(outcome);
    const implied = impliedWeight(mode, base);
    if (weight !== implied) except(userIds.filter(isOpen), weight, implied);
  }
  if (base.notify === 1) push(audience.pushedByDefault.filter(isOpen), baseOutcome);

  if (base === nothing && exceptions.length === 0) return notCounted;
  // The ordinal goes up by one for all: where the default is anything else, a row for all says so.
  if (base !== plain) {
    exceptions.push({ userIds: [''], onlyMembers: false, ...base, baseNotify: 1, baseHighlight: 0 });
  }
  return { counts: true, exceptions, pushes };
}

type GroupPart = RuleGroup & { readonly hasSubscribed?: boolean };

/** Where it matters, those who have subscribed to the thread are apart from those who have not. */
function partsOf(groups: readonly RuleGroup[], subscribers: Subscribers): readonly GroupPart[] {
  if (subscribers === undefined) return groups;
  return groups.flatMap((group): readonly GroupPart[] => {
    if (!group.usesSubscriptions) return [group];
    return [true, false].map((hasSubscribed) => {
      const isPart = (userId: string): boolean => subscribers.has(userId) === hasSubscribed;
      return { ...group, hasSubscribed, userIds: group.userIds.filter(isPart), pushed: group.pushed.filter(isPart) };
    });
  });
}

/**
 * Those whom an event mentions, each once.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#user-and-room-mentions}
 */
function mentionedUsers(content: JsonObject): readonly string[] {
  const mentions = Object.hasOwn(content, 'm.mentions') ? content['m.mentions'] : undefined;
  const userIds = isJsonObject(mentions) ? mentions['user_ids'] : undefined;
  if (!Array.isArray(userIds)) return none;
  return [...new Set(userIds.filter((userId) => typeof userId === 'string'))];
}

const none: readonly string[] = [];

/**
 * How far the sender of an event has thereby read: what it is an answer to, or everything for somebody who joins. A change
 * of one's name, which the server makes in all rooms, and the like say nothing of the kind.
 */
export function senderReads(event: CountedEvent): 'thread' | 'everything' | undefined {
  if (event.type !== 'm.room.member' || event.stateKey !== event.sender) return 'thread';
  return event.content['membership'] === 'join' && event.previousMembership !== 'join' ? 'everything' : undefined;
}

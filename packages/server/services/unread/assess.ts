import { isJsonObject, type JsonObject } from '@portico/protocol';
import { compiledDefaultRules, evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import type { PushContext, PushSubject } from '@portico/protocol/push/push-event.ts';
import type { RoomAudience, RuleGroup } from './audience.ts';
import { impliedWeight, nothing, plain, type Weight, weightOf } from './mode.ts';
import { counted, type Counting, createTally, notCounted, type Tally } from './tally.ts';

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

  const tally = createTally(base);
  const ignoring = audience.ignoredBy.get(event.sender) ?? [];
  for (const userId of ignoring) {
    tally.except([userId], nothing, impliedWeight(audience.groupOf.get(userId)?.mode ?? 'all', base));
  }
  const decided = new Set([event.sender, ...ignoring]);
  const left = mentioned.filter((userId) => !decided.has(userId));
  for (const userId of left) decided.add(userId);
  countMentioned(left, { subject, everyone, base, audience, subscribers, tally });

  const isOpen = (userId: string): boolean => !decided.has(userId);
  for (const { rules, mode, displayName, hasSubscribed, userIds, pushed } of partsOf(audience.groups, subscribers)) {
    const outcome = evaluatePush(rules, subject, { ...everyone, displayName, hasSubscribed });
    if (outcome?.notify === true && pushed.length > 0) tally.push(pushed.filter(isOpen), outcome);
    const weight = weightOf(outcome);
    const implied = impliedWeight(mode, base);
    if (weight !== implied) tally.except(userIds.filter(isOpen), weight, implied);
  }
  if (base.notify === 1) tally.push(audience.pushedByDefault.filter(isOpen), baseOutcome);
  return tally.counting();
}

type Counted = {
  readonly subject: PushSubject;
  /** What the rules may ask, the same for all. */
  readonly everyone: PushContext;
  /** What the event weighs by the default rules. */
  readonly base: Weight;
  readonly audience: RoomAudience;
  readonly subscribers: Subscribers;
  readonly tally: Tally;
};

/** Those whom the event mentions: one by one where they have rules of their own, the others together. */
function countMentioned(
  userIds: readonly string[],
  { subject, everyone, base, audience, subscribers, tally }: Counted,
): void {
  const withDefaults: string[] = [];
  for (const userId of userIds) {
    const group = audience.groupOf.get(userId);
    if (group === undefined) {
      withDefaults.push(userId);
      continue;
    }
    const { rules, displayName, mode } = group;
    const hasSubscribed = subscribers?.has(userId);
    const outcome = evaluatePush(rules, subject, { ...everyone, userId, displayName, hasSubscribed });
    tally.except([userId], weightOf(outcome), impliedWeight(mode, base));
    if (audience.pushed.has(userId)) tally.push([userId], outcome);
  }
  if (withDefaults.length === 0) return;
  // The default rules know no difference between the people that an event mentions.
  const outcome = evaluatePush(compiledDefaultRules, subject, { ...everyone, userId: withDefaults[0] });
  tally.except(withDefaults, weightOf(outcome), base, true);
  tally.push(
    withDefaults.filter((userId) => audience.pushed.has(userId)),
    outcome,
  );
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

import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { type CompiledRules, compilePushRules, evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import { threadSubscription } from '@portico/protocol/push/conditions.ts';
import { countingKey, defaultCountingKey, defaultOutcomeKey, outcomeKey } from '@portico/protocol/push/count-rules.ts';
import { effectiveRules, type EffectiveRule, rulesInRoom } from '@portico/protocol/push/effective-rules.ts';
import type { UserRulesRow } from '@portico/storage/stores/unread/custom-rules.ts';
import type { PushRuleset } from '@portico/protocol/push/rule.ts';
import { readPushRules } from '@portico/protocol/push/stored-rules.ts';
import { type UnreadMode, weightOf } from './mode.ts';

/** What a person has set that says how events count for them. */
export type UserRules = {
  readonly effective: readonly EffectiveRule[];
  readonly ignored: ReadonlySet<string>;
  /** Whether they are told of events on some device, so that it matters how their rules announce them. */
  readonly isPushed: boolean;
};

/** Their rules in one room. */
export type RoomRules = {
  /** Rules of the same key count every event alike, and those of people with pushers announce them alike. */
  readonly key: string;
  readonly isDefault: boolean;
  readonly rules: CompiledRules;
  readonly mode: UnreadMode;
  readonly usesDisplayName: boolean;
  /** Whether it matters for events in threads who has subscribed to them. */
  readonly usesSubscriptions: boolean;
};

const nobody: ReadonlySet<string> = new Set();

export function readUserRules(row: UserRulesRow, userId: string): UserRules {
  const { push_rules: pushRules, ignored, has_pushers: hasPushers } = row;
  return {
    effective: effectiveRules(readPushRules(pushRules === null ? undefined : parseJson(pushRules))),
    ignored: ignored === null ? nobody : readIgnored(ignored, userId),
    isPushed: hasPushers === 1,
  };
}

function readIgnored(content: string, userId: string): ReadonlySet<string> {
  const value = parseJson(content);
  const users = isJsonObject(value) ? value['ignored_users'] : undefined;
  if (!isJsonObject(users)) return nobody;
  const ignored = new Set(Object.keys(users));
  ignored.delete(userId);
  return ignored;
}

/** `known`: those of the same room that are worked out already, by key; added to. */
export function roomRules(
  { effective, isPushed }: Pick<UserRules, 'effective' | 'isPushed'>,
  roomId: string,
  known = new Map<string, RoomRules>(),
): RoomRules {
  const inRoom = rulesInRoom(effective, roomId);
  const ownKey = isPushed ? outcomeKey(inRoom) : countingKey(inRoom);
  const key = isPushed ? `pushed ${ownKey}` : ownKey;
  const found = known.get(key);
  if (found !== undefined) return found;
  const rules = compilePushRules(inRoom);
  const uses = (name: string): boolean => inRoom.some((rule) => rule.conditions.some(({ kind }) => kind === name));
  const made: RoomRules = {
    key,
    isDefault: ownKey === (isPushed ? defaultOutcomeKey : defaultCountingKey),
    rules,
    mode: modeOf(rules, roomId),
    usesDisplayName: uses('contains_display_name'),
    usesSubscriptions: uses(threadSubscription),
  };
  known.set(key, made);
  return made;
}

/** What a change of rules does in one room; `undefined` if events count, and are announced, there as before. */
export type RoomRulesChange = {
  readonly mode: UnreadMode;
  readonly isNewMode: boolean;
};

export function compareInRooms(
  before: PushRuleset,
  after: PushRuleset,
  isPushed: boolean,
): (roomId: string) => RoomRulesChange | undefined {
  const [old, current] = [effectiveRules(before), effectiveRules(after)];
  return (roomId) => {
    const [was, is] = [rulesInRoom(old, roomId), rulesInRoom(current, roomId)];
    const keyOf = isPushed ? outcomeKey : countingKey;
    if (keyOf(was) === keyOf(is)) return undefined;
    const mode = modeOf(compilePushRules(is), roomId);
    return { mode, isNewMode: mode !== modeOf(compilePushRules(was), roomId) };
  };
}

/** Finds the mode by trying what most events are like. Any answer is right, since rows make up for the difference. */
function modeOf(rules: CompiledRules, roomId: string): UnreadMode {
  const message = weightOf(evaluatePush(rules, probe(roomId, {}), probeContext));
  if (message.notify === 1) return 'all';
  const mention = weightOf(evaluatePush(rules, probe(roomId, { 'm.mentions': { room: true } }), probeContext));
  return mention.highlight === 1 ? 'mentions' : 'muted';
}

function probe(roomId: string, content: JsonObject) {
  return {
    type: 'm.room.message',
    sender: '',
    roomId,
    stateKey: undefined,
    content: { ...content, msgtype: 'm.text', body: '' },
  };
}

const probeContext = { userId: undefined, displayName: undefined, memberCount: () => 3, mayNotify: () => true };

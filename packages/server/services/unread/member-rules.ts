import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { type CompiledRules, compilePushRules, evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import { countingKey, defaultCountingKey } from '@portico/protocol/push/count-rules.ts';
import { effectiveRules, type EffectiveRule, rulesInRoom } from '@portico/protocol/push/effective-rules.ts';
import type { PushRuleset } from '@portico/protocol/push/rule.ts';
import { readPushRules } from '@portico/protocol/push/stored-rules.ts';
import { type UnreadMode, weightOf } from './mode.ts';

/** What a person has set that says how events count for them. */
export type UserRules = {
  readonly effective: readonly EffectiveRule[];
  readonly ignored: ReadonlySet<string>;
};

/** Their rules in one room. */
export type RoomRules = {
  /** Rules of the same key count every event alike. */
  readonly key: string;
  readonly isDefault: boolean;
  readonly rules: CompiledRules;
  readonly mode: UnreadMode;
  readonly usesDisplayName: boolean;
};

const nobody: ReadonlySet<string> = new Set();

export function readUserRules(pushRules: string | null, ignored: string | null, userId: string): UserRules {
  return {
    effective: effectiveRules(readPushRules(pushRules === null ? undefined : parseJson(pushRules))),
    ignored: ignored === null ? nobody : readIgnored(ignored, userId),
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
  effective: readonly EffectiveRule[],
  roomId: string,
  known = new Map<string, RoomRules>(),
): RoomRules {
  const inRoom = rulesInRoom(effective, roomId);
  const key = countingKey(inRoom);
  const found = known.get(key);
  if (found !== undefined) return found;
  const rules = compilePushRules(inRoom);
  const made: RoomRules = {
    key,
    isDefault: key === defaultCountingKey,
    rules,
    mode: modeOf(rules, roomId),
    usesDisplayName: inRoom.some((rule) => rule.conditions.some(({ kind }) => kind === 'contains_display_name')),
  };
  known.set(key, made);
  return made;
}

/** What a change of rules does in one room; `undefined` if events count there as before. */
export type RoomRulesChange = {
  readonly mode: UnreadMode;
  readonly isNewMode: boolean;
};

export function compareInRooms(
  before: PushRuleset,
  after: PushRuleset,
): (roomId: string) => RoomRulesChange | undefined {
  const [old, current] = [effectiveRules(before), effectiveRules(after)];
  return (roomId) => {
    const [was, is] = [rulesInRoom(old, roomId), rulesInRoom(current, roomId)];
    if (countingKey(was) === countingKey(is)) return undefined;
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

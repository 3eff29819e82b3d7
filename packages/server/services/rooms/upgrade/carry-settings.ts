import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@portico/protocol';
import type { PushRuleKind } from '@portico/protocol/push/rule.ts';
import type { Database } from '@portico/storage';
import { readMembershipsIn, readRoomNids } from '@portico/storage/stores/directory/room-summaries.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { AccountData } from '../../accounts/account-data.ts';
import type { PushRules } from '../../push-rules/push-rules.ts';
import type { Tags } from '../../tags/tags.ts';

type Dependencies = {
  readonly db: Database;
  readonly accountData: AccountData;
  readonly pushRules: PushRules;
  readonly tags: Tags;
  readonly onFailure: (error: unknown) => void;
};

/** Clients name a rule that is about one room after it: in `override` what mutes the room, in `room` what quietens it. */
const kindsOfRooms = ['override', 'room', 'underride'] as const satisfies readonly PushRuleKind[];

/** A condition that an event is in one room, for another one. */
function inRoom(condition: JsonValue, from: string, to: string): JsonValue {
  if (!isJsonObject(condition) || condition['key'] !== 'room_id') return condition;
  return {
    ...condition,
    ...(condition['pattern'] === from && { pattern: to }),
    ...(condition['value'] === from && { value: to }),
  };
}

/**
 * "When a user joins the new room, the server should automatically transfer/replicate some of the user's personalized
 * settings such as notifications, tags, etc."
 *
 * For people who were in the old room; anybody may claim to replace a room. What they have set for the new one stays.
 */
export function createCarrySettings({ db, accountData, pushRules, tags, onFailure }: Dependencies) {
  /** The person is in the new room already: what there is no more place for, or fails, must not look as if they were not. */
  async function attempt(carried: Promise<void>): Promise<void> {
    try {
      await carried;
    } catch (error) {
      if (!(error instanceof MatrixError)) onFailure(error);
    }
  }

  async function carryTags(userId: string, from: string, to: string): Promise<void> {
    const before = await tags.all(userId, from);
    if (Object.keys(before).length > 0) await tags.add(userId, to, before);
  }

  async function carryPushRule(userId: string, kind: PushRuleKind, from: string, to: string): Promise<void> {
    const rules = (await pushRules.all(userId)).global[kind];
    const rule = Array.isArray(rules)
      ? rules.find((item) => isJsonObject(item) && item['rule_id'] === from)
      : undefined;
    const known = Array.isArray(rules) && rules.some((item) => isJsonObject(item) && item['rule_id'] === to);
    if (!isJsonObject(rule) || known || rule['actions'] === undefined) return;
    const { conditions } = rule;
    const body = {
      actions: rule['actions'],
      ...(Array.isArray(conditions) && { conditions: conditions.map((condition) => inRoom(condition, from, to)) }),
    };
    await pushRules.put(userId, kind, to, body, { after: from });
    if (rule['enabled'] === false) await pushRules.setEnabled(userId, kind, to, { enabled: false });
  }

  async function carryDirect(userId: string, from: string, to: string): Promise<void> {
    const direct = await findDirect(userId);
    const changed = Object.entries(direct).map(([person, rooms]) => {
      const isHere = Array.isArray(rooms) && rooms.includes(from) && !rooms.includes(to);
      return [person, isHere ? [...rooms, to] : rooms] as const;
    });
    if (changed.every(([person, rooms]) => direct[person] === rooms)) return;
    await accountData.set(userId, '', 'm.direct', Object.fromEntries(changed));
  }

  async function findDirect(userId: string): Promise<JsonObject> {
    try {
      const content = parseJson(await accountData.get(userId, '', 'm.direct'));
      return isJsonObject(content) ? content : {};
    } catch (error) {
      if (error instanceof MatrixError && error.reason === 'account-data.not-found') return {};
      throw error;
    }
  }

  async function carry(userId: string, from: string, to: string): Promise<void> {
    const roomNid = (await readRoomNids(db, [from])).get(from);
    if (roomNid === undefined || (await readMembershipsIn(db, [roomNid], userId)).get(roomNid) === undefined) return;
    await attempt(carryTags(userId, from, to));
    for (const kind of kindsOfRooms) await attempt(carryPushRule(userId, kind, from, to));
    await attempt(carryDirect(userId, from, to));
  }

  return (userId: string, from: string, to: string): Promise<void> => attempt(carry(userId, from, to));
}

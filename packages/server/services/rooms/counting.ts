import { isJsonObject, readPowerLevel, type RoomEvent, type RoomVersionRules, userPowerLevel } from '@portico/protocol';
import type { CountedEvent, RoomFacts } from '../unread/assess.ts';
import { getKnown, type RoomHead } from './head.ts';

/** What push rules may ask about a room, at a head. */
export function roomFacts(head: RoomHead, event: RoomEvent, memberCount: number): RoomFacts {
  return {
    memberCount: () => memberCount,
    mayNotify(key) {
      const create = getKnown(head, 'm.room.create', '')?.event;
      const powerLevels = getKnown(head, 'm.room.power_levels', '')?.event;
      return mayNotifyRoom(head.rules, create, powerLevels, event.sender, key);
    },
  };
}

/** Whether somebody's power level suffices for `notifications[key]` of the power levels. */
export function mayNotifyRoom(
  rules: RoomVersionRules,
  create: RoomEvent | undefined,
  powerLevels: RoomEvent | undefined,
  sender: string,
  key: string,
): boolean {
  if (create === undefined) return false;
  const notifications = powerLevels?.content['notifications'];
  const required = isJsonObject(notifications) ? readPowerLevel(rules, notifications[key]) : undefined;
  return userPowerLevel(rules, create, powerLevels, sender) >= (required ?? defaultLevel);
}

/** "The power level required to trigger an `@room` notification", where `notifications` does not say. */
const defaultLevel = 50;

/** An event as counting looks at it. */
export function countedEvent(
  { roomNid }: RoomHead,
  { roomId, type, stateKey, sender, content }: RoomEvent,
  previousMembership: string | undefined,
): CountedEvent {
  return { roomNid, roomId, type, stateKey, sender, content, previousMembership };
}

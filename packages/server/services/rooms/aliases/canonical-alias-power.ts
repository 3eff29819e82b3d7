import { requiredPowerLevel, userPowerLevel } from '@portico/protocol';
import type { ReadState } from '../read-state.ts';

/** Whether somebody is in a room, with the power to set its canonical alias. */
export async function maySetCanonicalAlias(readState: ReadState, roomNid: number, userId: string): Promise<boolean> {
  const { rules, state } = await readState(roomNid, [
    ['m.room.create', ''],
    ['m.room.power_levels', ''],
    ['m.room.member', userId],
  ]);
  if (state('m.room.member', userId)?.content['membership'] !== 'join') return false;
  const powerLevels = state('m.room.power_levels');
  const power = userPowerLevel(rules, state('m.room.create'), powerLevels, userId);
  return power >= requiredPowerLevel(rules, powerLevels, 'm.room.canonical_alias', true);
}

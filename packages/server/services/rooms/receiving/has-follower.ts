import type { Reader } from '@portico/storage';
import { latestNaming } from '@portico/storage/stores/events/resolution.ts';
import type { StateEvents } from '../state-events.ts';
import type { ReceivingRoom } from './received-event.ts';

/**
 * Whether one of the latest events of a room follows another one. That it was asked for says nothing of that: whoever sends what
 * follows it, and is rejected, has it asked for.
 */
export async function hasFollower(
  { db, stateEvents }: { readonly db: Reader; readonly stateEvents: StateEvents },
  { roomNid, rules }: Pick<ReceivingRoom, 'roomNid' | 'rules'>,
  eventId: string,
): Promise<boolean> {
  const naming = await stateEvents.loadById(rules, await latestNaming(db, roomNid, eventId));
  return [...naming.values()].some(({ event }) => event.prevEvents.includes(eventId));
}

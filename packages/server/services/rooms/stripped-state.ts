import { encodeCanonical, type RoomEvent, type StateKeyPair } from '@portico/protocol';

/**
 * "The following state events SHOULD be represented as stripped state events when possible"
 * {@link https://spec.matrix.org/v1.19/client-server-api/#stripped-state}
 */
export const strippedStateKeys: readonly StateKeyPair[] = [
  ['m.room.create', ''],
  ['m.room.name', ''],
  ['m.room.avatar', ''],
  ['m.room.topic', ''],
  ['m.room.join_rules', ''],
  ['m.room.canonical_alias', ''],
  ['m.room.encryption', ''],
];

/** Whether an event invites somebody or is a knock: they get to see the stripped state of the room. */
export function showsStrippedState({ type, content }: Pick<RoomEvent, 'type' | 'content'>): boolean {
  return type === 'm.room.member' && (content['membership'] === 'invite' || content['membership'] === 'knock');
}

/** An event with nothing but "`sender`, `type`, `state_key` and `content`", as JSON text. */
export function strippedEvent(event: RoomEvent): string {
  const content = encodeCanonical(event.content, 'lenient');
  const sender = JSON.stringify(event.sender);
  return `{"content":${content},"sender":${sender},"state_key":${JSON.stringify(event.stateKey)},"type":${JSON.stringify(event.type)}}`;
}

/** As much as other servers are told. */
export const maxShownLength = 64 * 1024;

/**
 * A JSON array of stripped state events: each client of the person is sent all of it. The first and the last are always there, of the
 * others as many as fit, for all that a room can say of itself is many times as long.
 */
export function strippedState(events: readonly (RoomEvent | undefined)[]): string {
  const known = events.filter((event) => event !== undefined);
  const texts: string[] = [];
  let length = 0;
  for (const [index, event] of known.entries()) {
    const text = strippedEvent(event);
    const isKept = index === 0 || index === known.length - 1;
    if (!isKept && length + text.length > maxShownLength) continue;
    length += text.length;
    texts.push(text);
  }
  return `[${texts.join(',')}]`;
}

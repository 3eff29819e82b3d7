import { propertyAt } from '../json/property-path.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';

/** An event as push rules see it. */
export type PushEvent = {
  readonly type: string;
  readonly sender: string;
  readonly roomId: string;
  /** `undefined` for message events. */
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
};

/** An event together with what is worked out of it once for all the rules that look at it. */
export type PushSubject = PushEvent & { loweredBody?: string };

export type PushContext = {
  /** Whose rules these are; `undefined` if they are several people's, none of whom the event names. */
  readonly userId: string | undefined;
  /** Their name in the room. */
  readonly displayName: string | undefined;
  memberCount(): number;
  /** Whether the sender's power level suffices for this entry of the power levels' `notifications`. */
  mayNotify(key: string): boolean;
  /** Whether they have subscribed to the thread that the event is in; `undefined` if it is in none. */
  readonly hasSubscribed?: boolean | undefined;
};

/** The property of the client's format of an event that a parsed path leads to. */
export function eventProperty(event: PushEvent, path: readonly string[]): JsonValue | undefined {
  const first: string = path[0] ?? '';
  if (first === 'content') return propertyAt(event.content, path, 1);
  if (path.length !== 1) return undefined;
  switch (first) {
    case 'type':
      return event.type;
    case 'sender':
      return event.sender;
    case 'room_id':
      return event.roomId;
    case 'state_key':
      return event.stateKey;
    default:
      return undefined;
  }
}

/** So much of a body is searched for words. Bounds what an event costs whom people's keywords are tried on. */
const longestSearchedBody = 16_384;

export function loweredBody(subject: PushSubject): string | undefined {
  if (subject.loweredBody !== undefined) return subject.loweredBody;
  const body = Object.hasOwn(subject.content, 'body') ? subject.content['body'] : undefined;
  if (typeof body !== 'string') return undefined;
  return (subject.loweredBody = body.slice(0, longestSearchedBody).toLowerCase());
}

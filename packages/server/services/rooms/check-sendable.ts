import type { EventSigner, JsonObject } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import { buildSendable } from './decide.ts';
import type { RoomHead } from './head.ts';
import { refuseImpossible } from './set-state.ts';

export type IntendedEvent = {
  readonly type: string;
  /** `undefined` for a message event. */
  readonly stateKey: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
};

/**
 * Throws what sending an event would throw for being what it is, whoever sends it and whatever the room is like by then.
 *
 * It is built without the events that it would name, so one that is larger than it may be only by them is let pass.
 */
export function checkSendable({ rules, roomId }: RoomHead, intended: IntendedEvent, signer: EventSigner): void {
  const { type, stateKey, sender, content } = intended;
  if (stateKey !== undefined) refuseImpossible({ type, stateKey, content });
  else if (type === 'm.room.redaction') redactsOf(content);
  const event = {
    type,
    stateKey,
    sender,
    content,
    roomId,
    originServerTs: 0,
    depth: 0,
    prevEvents: [],
    authEvents: [],
  };
  buildSendable(rules, { ...event, eventId: '$' }, signer);
}

/** Throws for a redaction that names nothing to redact. */
export function redactsOf({ redacts }: JsonObject): string {
  if (typeof redacts === 'string') return redacts;
  throw new MatrixError('request.bad-json', { message: 'redacts must name the event to redact.' });
}

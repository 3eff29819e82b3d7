import { encodeCanonical, type JsonObject } from '@portico/protocol';
import { stateDraft } from './draft.ts';
import type { RoomWriter } from './room-writer.ts';

/**
 * Sets an entry of a room's state and returns the event that now is that entry: the one there already, if the sender set
 * the same content before.
 */
export async function setState(
  writer: RoomWriter,
  roomNid: number,
  sender: string,
  entry: { readonly type: string; readonly stateKey: string; readonly content: JsonObject },
): Promise<string> {
  const { type, stateKey, content } = entry;
  let existing: string | undefined;
  const appended = await writer.append(roomNid, {
    needs: [
      [type, stateKey],
      ['m.room.member', sender],
    ],
    drafts(view) {
      const current = view.state(type, stateKey);
      const isMember = view.state('m.room.member', sender)?.event.content['membership'] === 'join';
      const isSame =
        current?.event.sender === sender && encodeCanonical(current.event.content) === encodeCanonical(content);
      existing = isMember && isSame ? current.event.eventId : undefined;
      return existing === undefined ? [stateDraft(sender, type, content, stateKey)] : [];
    },
  });
  return existing ?? soleEventId(appended.events);
}

export function soleEventId(events: readonly { readonly eventId: string }[]): string {
  const [event] = events;
  if (event === undefined) throw new Error('a plan that must add an event added none');
  return event.eventId;
}

import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { type NamingRow, readNames, readShownState } from '@portico/storage/stores/push/push-context.ts';
import { createSmallCache } from '../../reading/small-cache.ts';

/** What the room and the sender of an event are called. */
export type Names = {
  readonly senderName: string | undefined;
  readonly roomName: string | undefined;
  readonly roomAlias: string | undefined;
};

export interface PushNames {
  /** Of an event in a room of the recipient's. Read once for all to whom it goes at about the same time. */
  ofEvent(event: { readonly eventNid: number; readonly roomNid: number; readonly sender: string }): Promise<Names>;
  /** Of an invitation, as far as the invitee is shown the room. */
  ofInvite(invite: { readonly roomNid: number; readonly userId: string; readonly sender: string }): Promise<Names>;
}

const maxEvents = 500;

export function createPushNames(reader: Reader): PushNames {
  const known = createSmallCache<number, Promise<Names>>(maxEvents);
  return {
    ofEvent({ eventNid, roomNid, sender }) {
      const found = known.get(eventNid);
      if (found !== undefined) return found;
      const reading = readNames(reader, roomNid, sender).then((rows) => namesFrom(rows.map(parseRow)));
      known.set(eventNid, reading);
      reading.catch(() => known.delete(eventNid));
      return reading;
    },
    async ofInvite({ roomNid, userId, sender }) {
      const shown = parseJson((await readShownState(reader, roomNid, userId)) ?? '[]');
      const events = Array.isArray(shown) ? shown.filter(isJsonObject) : [];
      return namesFrom(
        events.filter(({ type, state_key: key }) => key === (type === 'm.room.member' ? sender : '')).map(partsOf),
      );
    },
  };
}

type Part = { readonly type: JsonValue | undefined; readonly content: JsonObject };

function parseRow({ type, content }: NamingRow): Part {
  return partsOf({ type, content: parseJson(content) ?? {} });
}

function partsOf({ type, content }: JsonObject): Part {
  return { type, content: isJsonObject(content) ? content : {} };
}

function namesFrom(parts: readonly Part[]): Names {
  const find = (type: string, field: string): string | undefined => {
    const value = parts.find((part) => part.type === type)?.content[field];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return {
    senderName: find('m.room.member', 'displayname'),
    roomName: find('m.room.name', 'name'),
    roomAlias: find('m.room.canonical_alias', 'alias'),
  };
}

import { isJsonObject, type JsonObject } from '@portico/protocol';

/** The room that another one replaces, by the content of its create event. */
export function predecessorIn(create: JsonObject | undefined): string | undefined {
  const predecessor = create?.['predecessor'];
  const roomId = isJsonObject(predecessor) ? predecessor['room_id'] : undefined;
  return typeof roomId === 'string' ? roomId : undefined;
}

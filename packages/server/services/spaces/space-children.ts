import { isJsonObject, type JsonValue, parseJson } from '@portico/protocol';
import type { SpaceChildRow } from '@portico/storage/stores/directory/room-summaries.ts';

/** A room that a space names as its child. */
export type SpaceChild = {
  readonly roomId: string;
  readonly via: readonly string[];
  readonly suggested: boolean;
  readonly order: string | undefined;
  readonly originServerTs: number;
  /** "Stripped State Events with an added `origin_server_ts` key", as JSON text. */
  readonly json: string;
};

/** A child from an `m.space.child` event, or nothing: "If not present, the room should not be considered a child". */
export function parseSpaceChild(row: Omit<SpaceChildRow, 'room_nid'>): SpaceChild | undefined {
  const content = parseJson(row.content, 'lenient');
  if (!isJsonObject(content)) return undefined;
  const { via, suggested, order } = content;
  if (!Array.isArray(via) || via.length === 0 || !row.state_key.startsWith('!')) return undefined;
  return {
    roomId: row.state_key,
    via: via.filter((server) => typeof server === 'string'),
    suggested: suggested === true,
    order: isOrder(order) ? order : undefined,
    originServerTs: row.origin_server_ts,
    json:
      `{"content":${row.content},"origin_server_ts":${row.origin_server_ts},"sender":${JSON.stringify(row.sender)},` +
      `"state_key":${JSON.stringify(row.state_key)},"type":"m.space.child"}`,
  };
}

/** "ASCII characters in the range \x20 (space) to \x7E (~) […] must not exceed 50 characters" */
function isOrder(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^[ -~]{0,50}$/.test(value);
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#ordering-of-children-within-a-space} */
export function compareChildren(a: SpaceChild, b: SpaceChild): number {
  if (a.order !== b.order) {
    if (a.order === undefined) return 1;
    return b.order === undefined || a.order < b.order ? -1 : 1;
  }
  if (a.originServerTs !== b.originServerTs) return a.originServerTs - b.originServerTs;
  return a.roomId < b.roomId ? -1 : a.roomId > b.roomId ? 1 : 0;
}

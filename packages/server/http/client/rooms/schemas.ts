import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';

/** Any JSON object: event content is not the server's to judge. */
export const jsonObject = Type.Unsafe<JsonObject>(Type.Object({}, { title: 'JsonObject' }));
export const roomParams = Type.Object({ roomId: Type.String() });
export const reasonBody = Type.Object({ reason: Type.Optional(Type.String()) }, { title: 'Reason' });
export const memberBody = Type.Object(
  { user_id: Type.String(), reason: Type.Optional(Type.String()) },
  { title: 'MemberAndReason' },
);
const servers = Type.Optional(Type.Array(Type.String()));
/** The servers through which a room may be reached. */
export const viaQuery = Type.Object({ via: servers, server_name: servers });
export function viaOf(query: { readonly via?: string[]; readonly server_name?: string[] }): readonly string[] {
  return query.via ?? query.server_name ?? [];
}

export const emptyResponse = Type.Object({}, { title: 'Empty' });
export const roomIdResponse = Type.Object({ room_id: Type.String() }, { title: 'RoomId' });
export const eventIdResponse = Type.Object({ event_id: Type.String() }, { title: 'EventId' });

/**
 * > the caller can append a `ts` query string argument to change the `origin_server_ts` of the resulting event
 *
 * {@link https://spec.matrix.org/v1.19/application-service-api/#timestamp-massaging}
 */
export const timestampQuery = Type.Object({
  ts: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
});

/** Only application services say when something happened. */
export function originServerTs(sender: { readonly appService?: object }, ts: number | undefined): number | undefined {
  return sender.appService === undefined ? undefined : ts;
}

import { encodeCanonical, isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol';
import { invite as operation, inviteV1 as operationV1 } from '../../../federation-api/inviting.ts';
import type { ReceiveInvite } from '../../../services/federation/rooms/incoming-invites.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

type Services = { readonly receiveInvite: ReceiveInvite };

export const invite = endpoint(operation, ({ receiveInvite }: Services) => {
  return async ({ origin, params, body: { event, room_version: version, invite_room_state: roomState = [] } }) => {
    const signed = await receiveInvite({ origin, ...params, version, event, roomState });
    return rawJson(`{"event":${encodeCanonical(signed, 'lenient')}}`);
  };
});

export const inviteV1 = endpoint(operationV1, ({ receiveInvite }: Services) => {
  return async ({ origin, params, body: event }) => {
    const signed = await receiveInvite({
      origin,
      ...params,
      version: '1',
      event,
      roomState: stateIn(event['unsigned']),
    });
    return rawJson(`[200,{"event":${encodeCanonical(signed, 'lenient')}}]`);
  };
});

function stateIn(unsigned: JsonValue | undefined): readonly JsonObject[] {
  const state = isJsonObject(unsigned) ? unsigned['invite_room_state'] : undefined;
  return Array.isArray(state) ? (state as readonly JsonValue[]).filter((each) => isJsonObject(each)) : [];
}

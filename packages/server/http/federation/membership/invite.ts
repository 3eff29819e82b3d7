import { encodeCanonical } from '@portico/protocol';
import { invite as operation } from '../../../federation-api/membership.ts';
import type { ReceiveInvite } from '../../../services/federation/rooms/incoming-invites.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

export const invite = endpoint(operation, ({ receiveInvite }: { readonly receiveInvite: ReceiveInvite }) => {
  return async ({ origin, params, body: { event, room_version: version, invite_room_state: roomState = [] } }) => {
    const signed = await receiveInvite({ origin, ...params, version, event, roomState });
    return rawJson(`{"event":${encodeCanonical(signed, 'lenient')}}`);
  };
});

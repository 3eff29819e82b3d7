import { Type } from 'typebox';
import type { CreateInviting } from '../../../services/identity/create-inviting.ts';
import { endpoint } from '../../endpoint.ts';
import { jsonObject, roomIdResponse } from './schemas.ts';

const thirdPartyInvite = Type.Object(
  {
    id_server: Type.String(),
    id_access_token: Type.String(),
    medium: Type.String(),
    address: Type.String(),
  },
  { title: 'Invite3pid' },
);

const initialStateEvent = Type.Object(
  { type: Type.String(), state_key: Type.Optional(Type.String()), content: jsonObject },
  { title: 'StateEvent' },
);

const body = Type.Object(
  {
    visibility: Type.Optional(Type.Union([Type.Literal('public'), Type.Literal('private')])),
    room_alias_name: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    topic: Type.Optional(Type.String()),
    invite: Type.Optional(Type.Array(Type.String())),
    invite_3pid: Type.Optional(Type.Array(thirdPartyInvite)),
    room_version: Type.Optional(Type.String()),
    creation_content: Type.Optional(jsonObject),
    initial_state: Type.Optional(Type.Array(initialStateEvent)),
    preset: Type.Optional(
      Type.Union([Type.Literal('private_chat'), Type.Literal('public_chat'), Type.Literal('trusted_private_chat')]),
    ),
    is_direct: Type.Optional(Type.Boolean()),
    power_level_content_override: Type.Optional(jsonObject),
  },
  { title: 'CreateRoom' },
);

export const createRoom = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/createRoom',
    operationId: 'createRoom',
    summary: 'Create a new room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'create-room',
    body,
    response: roomIdResponse,
  },
  ({ createInviting }: { createInviting: CreateInviting }) =>
    async ({ sender, body: { invite_3pid: invited = [], ...request } }) => {
      const addresses = invited.map(({ id_server: server, id_access_token: token, ...rest }) => ({
        server,
        token,
        ...rest,
      }));
      return { room_id: await createInviting(sender, request, addresses) };
    },
);

import { Type } from 'typebox';
import type { ReadingContext } from '../../../services/reading/context.ts';
import { readJoinedMembers, readMembers } from '../../../services/reading/members.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { clientEvent, roomParams } from './schemas.ts';

const membership = Type.Optional(
  Type.Union(['join', 'invite', 'knock', 'leave', 'ban'].map((name) => Type.Literal(name))),
);

export const getMembers = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/:roomId/members',
    operationId: 'getMembersByRoom',
    summary: 'Get the m.room.member events for the room',
    auth: 'user',
    params: roomParams,
    query: Type.Object({ at: pageToken, membership, not_membership: membership }),
    response: Type.Object({ chunk: Type.Array(clientEvent) }, { title: 'RoomMembers' }),
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender, params, query }) =>
      rawJson(
        await readMembers(reading, sender, {
          roomId: params.roomId,
          at: query.at,
          membership: query.membership,
          notMembership: query.not_membership,
        }),
      ),
);

export const getJoinedMembers = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/:roomId/joined_members',
    operationId: 'getJoinedMembersByRoom',
    summary: 'Get the joined members of a room with their profiles',
    auth: 'user',
    params: roomParams,
    response: Type.Object(
      {
        joined: Type.Record(
          Type.String(),
          Type.Object({ display_name: Type.Optional(Type.String()), avatar_url: Type.Optional(Type.String()) }),
        ),
      },
      { title: 'JoinedMembers' },
    ),
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender, params }) =>
      rawJson(await readJoinedMembers(reading, sender, params.roomId)),
);

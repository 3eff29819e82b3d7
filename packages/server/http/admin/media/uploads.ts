import { Type } from 'typebox';
import type { Uploads } from '../../../services/media/uploads.ts';
import { endpoint } from '../../endpoint.ts';
import { mediaDeleted } from './media-deleted.ts';

type Services = { readonly uploads: Uploads };
const optionalText = Type.Union([Type.String(), Type.Null()]);
const ofUser = Type.Object({ userId: Type.String() });
const path = '/_synapse/admin/v1/users/:userId/media';

const order = Type.Union([
  Type.Literal('created_ts'),
  Type.Literal('media_length'),
  Type.Literal('media_type'),
  Type.Literal('media_id'),
  Type.Literal('quarantined_by'),
  Type.Literal('safe_from_quarantine'),
]);

export const listMediaOfUser = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'listMediaOfUser',
    summary: 'Lists the files that somebody of this server has uploaded, without what they are called.',
    auth: 'admin',
    params: ofUser,
    query: Type.Object({
      from: Type.Optional(Type.Integer({ minimum: 0 })),
      limit: Type.Optional(Type.Integer({ minimum: 0 })),
      order_by: Type.Optional(order),
      dir: Type.Optional(
        Type.Union([Type.Literal('f'), Type.Literal('b')], { description: 'The newest first, if no order is said.' }),
      ),
    }),
    response: Type.Object(
      {
        media: Type.Array(
          Type.Object(
            {
              media_id: Type.String(),
              media_type: optionalText,
              media_length: Type.Integer(),
              created_ts: Type.Integer(),
              last_access_ts: Type.Union([Type.Integer(), Type.Null()], {
                description: 'The beginning of the day on which it was read last; nobody notes who reads what.',
              }),
              quarantined_by: optionalText,
              safe_from_quarantine: Type.Boolean(),
            },
            { title: 'MediaOfUser' },
          ),
        ),
        total: Type.Integer(),
        next_token: Type.Optional(Type.Integer()),
      },
      { title: 'MediaListOfUser' },
    ),
  },
  ({ uploads }: Services) =>
    async ({ params: { userId }, query }) => {
      const { from = 0, limit = 100, order_by: by = 'created_ts' } = query;
      const { dir = query.order_by === undefined ? 'b' : 'f' } = query;
      const page = await uploads.list(userId, { order: by, isDescending: dir === 'b', from, limit });
      return {
        media: page.uploads.map((row) => ({
          media_id: row.media_id,
          media_type: row.content_type,
          media_length: row.size,
          created_ts: row.created_at,
          last_access_ts: row.last_read_at,
          quarantined_by: row.quarantined_by,
          safe_from_quarantine: row.is_protected === 1,
        })),
        total: page.total,
        ...(page.next !== undefined && { next_token: page.next }),
      };
    },
);

export const deleteMediaOfUser = endpoint(
  {
    method: 'DELETE',
    path,
    operationId: 'deleteMediaOfUser',
    summary: 'Deletes the oldest files that somebody of this server has uploaded.',
    auth: 'admin',
    params: ofUser,
    query: Type.Object({
      limit: Type.Optional(Type.Integer({ minimum: 1, description: '100, if it is not said, and 1000 at most.' })),
    }),
    response: mediaDeleted,
  },
  ({ uploads }: Services) =>
    async ({ params: { userId }, query: { limit = 100 } }) => {
      const deleted = await uploads.removeOldest(userId, limit);
      return { deleted_media: [...deleted], total: deleted.length };
    },
);

export const deleteMedia = endpoint(
  {
    method: 'DELETE',
    path: '/_synapse/admin/v1/media/:serverName/:mediaId',
    operationId: 'deleteMedia',
    summary: 'Deletes a file of this server.',
    auth: 'admin',
    params: Type.Object({ serverName: Type.String(), mediaId: Type.String() }),
    response: mediaDeleted,
  },
  ({ uploads }: Services) =>
    async ({ params: { serverName, mediaId } }) => {
      await uploads.remove(serverName, mediaId);
      return { deleted_media: [mediaId], total: 1 };
    },
);

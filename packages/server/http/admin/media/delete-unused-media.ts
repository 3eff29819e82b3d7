import { type Static, Type } from 'typebox';
import type { RemoveUnused, Unused } from '../../../services/media/remove-unused.ts';
import { endpoint } from '../../endpoint.ts';
import { mediaDeleted } from './media-deleted.ts';

type Services = { readonly removeUnusedMedia: RemoveUnused };

const query = Type.Object({
  before_ts: Type.Integer({
    // What is in seconds by mistake is of January 1970.
    minimum: 30_000_000_000,
    description:
      'In milliseconds. What was last read before that goes, or uploaded if nobody has read it; the day of a reading counts whole.',
  }),
  size_gt: Type.Optional(Type.Integer({ minimum: 0, description: 'In bytes; only larger ones go.' })),
  keep_profiles: Type.Optional(
    Type.Boolean({ description: 'Whether pictures of people and rooms stay, as they do if nothing is said.' }),
  ),
});

function toUnused({
  before_ts: before,
  size_gt: largerThan = 0,
  keep_profiles: keepsPictures = true,
}: Static<typeof query>) {
  return { before, largerThan, keepsPictures } satisfies Unused;
}

function toResponse(deleted: readonly string[]): Static<typeof mediaDeleted> {
  return { deleted_media: [...deleted], total: deleted.length };
}

export const deleteUnusedMedia = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/media/delete',
    operationId: 'deleteUnusedMedia',
    summary: 'Deletes files of this server that nobody has read for long, at most ten thousand of them.',
    auth: 'admin',
    query,
    response: mediaDeleted,
  },
  ({ removeUnusedMedia }: Services) =>
    async ({ query, signal }) =>
      toResponse(await removeUnusedMedia(toUnused(query), signal)),
);

export const deleteUnusedMediaOfServer = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/media/:serverName/delete',
    operationId: 'deleteUnusedMediaOfServer',
    summary: 'The same, as older tools ask for it: with the name of this server.',
    auth: 'admin',
    params: Type.Object({ serverName: Type.String() }),
    query,
    response: mediaDeleted,
  },
  ({ removeUnusedMedia }: Services) =>
    async ({ params: { serverName }, query, signal }) =>
      toResponse(await removeUnusedMedia({ ...toUnused(query), origin: serverName }, signal)),
);

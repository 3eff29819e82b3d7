import { Type } from 'typebox';

export const mediaDeleted = Type.Object(
  { deleted_media: Type.Array(Type.String()), total: Type.Integer() },
  { title: 'MediaDeleted' },
);
